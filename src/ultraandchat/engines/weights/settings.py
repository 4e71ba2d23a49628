"""Where weights come from: the `[engines.hub]` section of the configuration."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class HubSettings:
    """The model hub that weights are downloaded from, by the profile that needs them and by no other."""

    offline: bool = False
    """Never call the hub: weights are a folder, or were downloaded before."""
    token: str = field(default="", repr=False)
    """For repositories behind a licence that must be accepted. Empty: the environment's HF_TOKEN."""
    cache: str = ""
    """Folder for downloaded weights; empty: the hub's usual one, which HF_HOME moves."""
    endpoint: str = ""
    """Address of another hub or a mirror; empty: huggingface.co."""
