"""Sphinx's settings; what is not said here is its default."""

import re
from pathlib import Path

project = "gpuaug"
author = copyright = "the gpuaug authors"
version = re.search(r'__version__ = "(.+)"', (Path(__file__).parents[2] / "gpuaug" / "__init__.py").read_text()).group(1)

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_copybutton", "sphinx_design"]
myst_enable_extensions = ["colon_fence", "deflist", "attrs_block"]
myst_heading_anchors = 4
napoleon_google_docstring, napoleon_numpy_docstring = True, False
napoleon_custom_sections = [("Yields", "returns_style")]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
html_theme = "furo"
html_title = f"gpuaug {version}"
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True
default_role = "py:obj"
nitpicky = False  # annotations name types of other libraries, whose inventories need the network


def _sections(app, what, name, obj, options, lines):
    """Docstrings have "Source:", "Shapes and dtypes:", "Targets:" inside of paragraphs: each becomes a line of its own."""
    found = []
    for line in lines:
        if (
            re.match(r"(Shapes and dtypes|Source|Targets|Copies|Seeds): ?\S", line)
            and found
            and found[-1].strip()
            and not found[-1].startswith("    ")
        ):
            found.append("")
        found.append(line)
    lines[:] = found


def setup(app):
    app.connect("autodoc-process-docstring", _sections)
