"""How Sphinx builds the pages: ``make docs``."""

from importlib.metadata import version as installed

project = "llmopt"
release = installed("llmopt")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc"]
html_theme = "furo"
html_title = f"llmopt {release}"
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_typehints = "none"
autodoc_member_order = "bysource"
numpydoc_show_class_members = False
# Members of our classes are listed where they are documented.
autodoc_default_options = {"members": True, "show-inheritance": True}
