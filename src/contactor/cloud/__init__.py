"""The cloud: what a fleet's records become. Ingest stores them, the lake keeps and answers."""
