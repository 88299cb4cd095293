"""Tables, migrations and the connection. SQLite (WAL) by default, PostgreSQL by URL; nothing else knows which."""
