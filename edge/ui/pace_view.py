"""身体不便: what cannot be done before the camera, and what becomes of it. Pure."""

from __future__ import annotations

from edge.ui.screen import Art, Layout, Screen, Wording, sentences_of


def draft(words: Wording) -> Screen:
    title, line = words("pace.title"), words("pace.line")
    return Screen(
        name="pace",
        layout=Layout.GUIDE,
        language=words.language,
        title=title,
        lines=(line,),
        art=Art.FACE,
        spoken=sentences_of(title, line),
    )
