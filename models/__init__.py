"""SQLAlchemy tables and nothing else."""

from importlib import import_module
from pkgutil import iter_modules

from models.base import Base

for _module in iter_modules(__path__):
    import_module(f"models.{_module.name}")

__all__ = ["Base"]
