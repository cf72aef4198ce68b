"""Between broker and registry: files what comes up, sends what goes down."""
