"""The console: the page for people. Its source in TypeScript is in `web/`; it is built when the package is."""
