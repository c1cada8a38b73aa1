"""What changed since: one durable log for each account, read page by page or as a stream."""
