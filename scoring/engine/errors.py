"""The errors of the engine."""


class EngineError(ValueError):
    """A request the engine cannot answer; the message says what to change."""


class ArtifactError(EngineError):
    """A model artifact that is damaged, foreign or of another version."""
