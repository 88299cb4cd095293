"""The process that runs around the clock: schedule, HTTP, webhooks."""
