"""PyInstaller's hook for fear-tracker: weights, graphs and the page come along, and modules that are loaded by name; torch does not.

An app that exports or trains asks for these itself: `pyinstaller --hidden-import fear.training app.py`.
"""

from PyInstaller.utils.hooks import collect_data_files, collect_dynamic_libs, collect_submodules, is_module_satisfies

_LEFT_OUT = ("fear.__pyinstaller", "fear.export", "fear.integrations", "fear.network", "fear.runtime.pytorch", "fear.training")

datas = collect_data_files("fear")
hiddenimports = collect_submodules("fear", filter=lambda name: not name.startswith(_LEFT_OUT))
excludedimports = ["torch"]
# OpenVINO opens the libraries of its devices and formats by name, some of which end in a version
_LIBRARIES = ["*.so", "*.so.*", "*.dll", "*.dylib"]
binaries = collect_dynamic_libs("openvino", search_patterns=_LIBRARIES) if is_module_satisfies("openvino") else []
