"""Pictures of the system in Mermaid, written into marked blocks of README.md and docs/."""
