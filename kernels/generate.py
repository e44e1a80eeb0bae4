"""Writes the headers that are made of tables in Python: `python kernels/generate.py`."""

from pathlib import Path

from gpuaug.generated import HEADERS

if __name__ == "__main__":
    for name, made in HEADERS.items():
        path, text = Path(__file__).with_name(name), made()
        if not path.exists() or path.read_text(encoding="utf-8") != text:  # else what includes it would be compiled anew
            path.write_text(text, encoding="utf-8")
