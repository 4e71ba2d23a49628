"""`ultraandchat serve` whose voice is a model that loads as a file says (`worker_models.open_as_told`)."""

from ultraandchat.cli import main
from ultraandchat.engines import espeak

espeak.MODEL = "tests.support.worker_models:open_as_told"
raise SystemExit(main())
