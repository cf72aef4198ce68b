"""The stage: keeps the widgets of the screen shown, and changes only those that differ.

A key under a finger stays the same widget while the words around it move on;
the mirror lives as long as it stands where it stood.
"""

from __future__ import annotations

from typing import Any

from edge.session.events import Button
from edge.ui import pieces
from edge.ui.arrange import Plan, plan
from edge.ui.controller import DrawnButton
from edge.ui.pieces import Kit, Piece
from edge.ui.screen import Screen
from edge.ui.theme import Theme
from edge.ui.widgets import Canvas, Group, Key, PictureFrame, Ruler, Words, forget, widget_for

_LAYERS = (
    pieces.Glass,
    pieces.Ground | pieces.Stripes,
    pieces.Sketch | pieces.Text | pieces.Code,
    pieces.Key,
)
"""What stands on what, lowest first."""


class Stage(Group):
    """Shows one screen after the other on one panel."""

    def __init__(self, canvas: Canvas, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.canvas_of = canvas
        self.screen: Screen | None = None
        self.plan = Plan(())
        self._widgets: dict[Piece, Any] = {}
        self._layers = [Group() for _ in _LAYERS]
        for layer in self._layers:
            self.add_widget(layer)
        self._focus: Button | None = None

    @property
    def picture(self) -> PictureFrame | None:
        glass = self.plan.glass
        return self._widgets[glass] if glass else None

    def show(self, screen: Screen) -> None:
        """Draw whatever differs from the screen before."""
        before, self.screen = self.screen, screen
        if before is not None and before.name != screen.name:
            self._focus = None
            if screen.name == "home":
                forget()
        self._enlarge(screen.enlarged)
        kit = Kit(self.canvas_of.theme, Ruler(self.canvas_of.fonts))
        self.plan = plan(kit, screen)
        wanted = dict.fromkeys(self.plan.pieces)
        for piece in [piece for piece in self._widgets if piece not in wanted]:
            widget = self._widgets.pop(piece)
            widget.parent.remove_widget(widget)
        for piece in wanted:
            if piece not in self._widgets:
                self._add(piece)
        self._refocus()

    def _enlarge(self, large: bool) -> None:
        """Other letters and colours: everything anew."""
        theme = self.canvas_of.theme
        if theme.large == large:
            return
        self.canvas_of = Canvas(
            Theme(theme.panel, large), self.canvas_of.fonts, self.canvas_of.press
        )
        for layer in self._layers:
            layer.clear_widgets()
        self._widgets.clear()

    def _add(self, piece: Piece) -> None:
        layer = next(i for i, kinds in enumerate(_LAYERS) if isinstance(piece, kinds))
        widget = self._widgets[piece] = widget_for(self.canvas_of, piece)
        self._layers[layer].add_widget(widget)

    def words(self) -> list[Words]:
        """All texts on the stage, from top to bottom."""
        found = [w for w in self.walk(restrict=True) if isinstance(w, Words)]
        return sorted(found, key=lambda w: (w.box.y, w.box.x))

    def all_keys(self) -> list[Key]:
        """All keys in the order of reading."""
        return [self._widgets[piece] for piece in self.plan.keys]

    def drawn_buttons(self) -> tuple[DrawnButton, ...]:
        centres = [(key.choice.label, *key.box.centre) for key in self.all_keys()]
        return tuple(DrawnButton(label, round(x), round(y)) for label, x, y in centres)

    # --- the keyboard ---

    def key_of(self, button: Button) -> Key | None:
        return next((key for key in self.all_keys() if key.choice.button is button), None)

    def main_keys(self) -> list[Key]:
        """Keys 1, 2, 3: the main choices."""
        wanted = {choice.button for choice in self.screen.choices} if self.screen else set()
        return [key for key in self.all_keys() if key.choice.button in wanted]

    def move_focus(self, by: int) -> Key | None:
        """On to the next key; the one that is focused now."""
        order = self.screen.by_finger if self.screen else ()
        buttons = [button for button in order if self.key_of(button)]
        if not buttons:
            return None
        if self._focus in buttons:
            at = (buttons.index(self._focus) + by) % len(buttons)
        else:
            at = 0 if by > 0 else len(buttons) - 1
        self._focus = buttons[at]
        self._refocus()
        return self.focused()

    def focused(self) -> Key | None:
        return self.key_of(self._focus) if self._focus else None

    def _refocus(self) -> None:
        chosen = self.focused()
        for key in self.all_keys():
            key.focus(key is chosen)
