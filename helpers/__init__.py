"""Small functions that the lessons share, one flat list: `from helpers import check, fit`.

Importing this package imports nothing else. A name's module, and with it pandas or PyTorch, is
imported when the name is first used: https://peps.python.org/pep-0562/
"""

from importlib import import_module

HOMES = {
    "datasets": ("load_adult", "load_penguins", "load_solar_cells"),
    "environment": ("environment_report", "get_device", "seed_everything", "set_up"),
    "exercises": ("check", "hint", "solution"),
    "plotting": ("plot_graph", "set_theme"),
    "table_model": ("load_table_model", "predict_rows", "save_table_model"),
    "timing": ("measure_latency",),
    "training": ("evaluate", "fit", "make_loader", "predict"),
    "transfer": ("compute_once", "load_efficientnet_lite0"),
}
_home_of = {name: home for home, names in HOMES.items() for name in names}
__all__ = sorted(_home_of)


def __getattr__(name):
    if name not in _home_of:
        raise AttributeError(
            f"helpers has no {name!r}; it has {', '.join(__all__)}, and folders and modules such as "
            "helpers.transfer"
        )
    return getattr(import_module(f"helpers.{_home_of[name]}"), name)


def __dir__():
    return __all__
