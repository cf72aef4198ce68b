"""Take the README's pictures from what `make demo` left behind.

python tests/tools/readme_pictures.py demo-out docs/pictures
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from PIL import Image

WIDTH_PX = 800


def main() -> None:
    out, target = Path(sys.argv[1]), Path(sys.argv[2])
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    screens = [out / name for name in summary["screens"]]
    prompts = [path for path in screens if path.stem.endswith("watch")]
    chosen = {
        "await-card": next(path for path in screens if "await-card" in path.name),
        "watch": prompts[len(prompts) // 2],
        "review": next(path for path in screens if "review" in path.name),
        "finished": next(path for path in reversed(screens) if "finished" in path.name),
        "receipt": out / "receipt.png",
        "console": out / "console.png",
    }
    target.mkdir(parents=True, exist_ok=True)
    for name, path in chosen.items():
        with Image.open(path) as picture:
            width = min(picture.width, WIDTH_PX if name != "receipt" else 420)
            height = round(picture.height * width / picture.width)
            small = picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
            small.quantize(128).save(target / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
