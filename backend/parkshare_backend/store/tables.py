"""Every table of every feature, loaded on the one MetaData: import this before the schema is made or compared.

A feature adds its line here.
"""

from importlib import import_module

from parkshare_backend.store.metadata import EXTRAS, metadata

# In order of need: a foreign key or a trigger may name only what stands above it.
MODULES = (
    "parkshare_backend.store.outbox",
    "parkshare_backend.accounts.tables",
    "parkshare_backend.link.tables",
    "parkshare_backend.spaces.tables",
    "parkshare_backend.bookings.tables",
    "parkshare_backend.tracking.tables",
    "parkshare_backend.standby.tables",
    "parkshare_backend.risk.tables",
)

for module in MODULES:
    import_module(module)

__all__ = ["EXTRAS", "MODULES", "metadata"]
