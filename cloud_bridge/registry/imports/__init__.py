"""Files of people, regions and signals: looked at, applied as a whole, undone as a whole.

`tables` reads CSV and XLSX into rows of text, `headings` knows the columns and `cells` what may
stand in them. `people`, `regions` and `signals` judge rows against the registry and write them;
`runs` leads a file through all of it, and `undo` takes one back.
"""
