"""Sphinx reads this from the folder that scripts/make_site.py writes."""
import os

import gallop

project = "Gallop"
author = "The authors of Gallop"
copyright = "The authors of Gallop, MIT licence"
version = release = gallop.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "breathe", "sphinx_copybutton"]
exclude_patterns = ["site"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 4
breathe_projects = {"gallop": os.environ["GALLOP_DOXYGEN_XML"]}
breathe_default_project = "gallop"
breathe_domain_by_extension = {"h": "cpp"}
# What the adapters stand on is not needed to describe them.
autodoc_mock_imports = ["rsl_rl", "stable_baselines3", "tensordict", "torch"]
breathe_show_include = False
autodoc_typehints = "signature"
autodoc_member_order = "bysource"

html_theme = "furo"
html_title = f"Gallop {release}"
html_static_path = ["pictures"]
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "monokai"
# A struct of C and its typedef have one name; a macro may be defined twice.
suppress_warnings = ["duplicate_declaration.cpp", "duplicate_declaration.c"]
