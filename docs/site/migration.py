"""Names side by side, from the converters' own tables: albumentations', torchvision's, torchaudio's, Kornia's."""

from __future__ import annotations

import ast
import inspect

from .coverage import NOT, PAGES, albumentations, imgaug, torchvision


def pages() -> dict[str, str]:
    lines = ["# Coming from another library", "", _HEAD, ""]
    theirs = albumentations()
    missing = [name for name, (state, _) in theirs.items() if state == NOT]
    there, rest = len(theirs) - len(missing), f"; missing: {', '.join(missing)}." if missing else "."
    lines += ["## albumentations", ""]
    lines += [f"{there} of the {len(theirs)} names of albumentations 2.0.8 are there under the same name, with its arguments and"]
    lines += [f"defaults{rest}", "", _ALBUMENTATIONS, ""]
    lines += ["## torchvision", "", _TORCHVISION, "", "| torchvision.transforms.v2 | here |", "|---|---|"]
    lines += [f"| {name} | {remark or state} |" for name, (state, remark) in torchvision().items()]
    lines += ["", "## Kornia", "", _KORNIA, "", "| kornia.augmentation | becomes |", "|---|---|"]
    lines += [f"| {name} | {made if made else 'made by a function of its arguments'} |" for name, made in kornia().items()]
    lines += ["", "## torchaudio", "", _TORCHAUDIO, "", "| torchaudio.transforms | here |", "|---|---|"]
    lines += [f"| {name} | {said} |" for name, said in torchaudio().items()]
    lines += ["", "## imgaug", "", _IMGAUG, "", "| imgaug.augmenters | here |", "|---|---|"]
    lines += [f"| {name} | {remark or state} |" for name, (state, remark) in imgaug().items() if state != NOT]
    return {"migration.md": "\n".join(lines) + "\n"}


def kornia() -> dict[str, str]:
    """{Kornia's name: ours}, where the converter's function names one."""
    from gpuaug.interop import converted_kornia

    found = {}
    for cls, function in converted_kornia._EQUAL.items():
        try:
            tree = ast.parse(inspect.getsource(function).strip().rstrip(","))
        except SyntaxError:  # a lambda in the middle of a dict
            tree = ast.parse("{" + inspect.getsource(function).strip().rstrip(",") + "}")
        names = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "T"]
        found[cls.__name__] = ", ".join(f"[{name}](transforms/{name}.md)" for name in dict.fromkeys(names) if name in PAGES)
    return dict(sorted(found.items()))


def torchaudio() -> dict[str, str]:
    from gpuaug.interop import converted

    found = {name: f"`gpuaug.audio.{name}`" for name in converted._STEPS}
    return dict(sorted((found | converted._INSTEAD).items()))


_HEAD = """Change the import line, and keep the pipeline: `gpuaug.Compose` takes albumentations' names, `gpuaug.vision`
torchvision's, `gpuaug.interop.imgaug` imgaug's. Or keep the objects: `from_albumentations`, `from_torchvision`, `from_kornia`
and `from_torchaudio` make pipelines of gpuaug's of them, and say in one error what they cannot convert."""
_ALBUMENTATIONS = """```python
import gpuaug as A  # was: import albumentations as A
```

[Programs for albumentations](swap-in.md) says which older spellings are read, and what is refused. A file that
`albumentations.save` wrote becomes one of gpuaug's with
 `gpuaug convert pipeline.json > pipeline.yaml`."""
_TORCHVISION = """```python
from gpuaug import vision as transforms  # was: from torchvision.transforms import v2 as transforms
```

[torchvision's names](torchvision.md) says what is compared and what differs."""
_KORNIA = """`gpuaug.from_kornia(pipeline)` converts what works out equal; with `unsupported="wrap"` Kornia runs the rest, in
its place."""
_TORCHAUDIO = "`gpuaug.from_torchaudio(pipeline)` converts an `nn.Sequential` or a transform."
_IMGAUG = "[imgaug's names](imgaug.md) says what differs."
