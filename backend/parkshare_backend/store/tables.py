"""Every table of every feature, loaded on the one MetaData: import this before the schema is made or compared.

A feature adds its line here.
"""

from importlib import import_module

from parkshare_backend.store.metadata import EXTRAS, extras_of, metadata

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
    "parkshare_backend.holds.tables",
    "parkshare_backend.money.tables",
    "parkshare_backend.http.tables",
    "parkshare_backend.webhooks.tables",
    "parkshare_backend.feeds.tables",
    "parkshare_backend.places.tables",
)

for module in MODULES:
    import_module(module)

__all__ = ["EXTRAS", "MODULES", "extras_of", "metadata"]
