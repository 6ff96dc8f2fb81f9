"""The steps in which a reader study is put together."""
