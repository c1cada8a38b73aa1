"""The database: engine, tables that belong to no feature, the outbox, migrations."""
