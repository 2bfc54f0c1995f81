"""The state folder: where everything of one project is kept, and how its parts are opened.

ledger.db               the truth
checkpoints/<id>.db     LangGraph's checkpoints, one file a campaign
chroma/                 the recall index; may be deleted, `memory rebuild` makes it again
artifacts/              big things by the hash of their content
bases/<campaign>/       the code that a campaign of kind `code` began with
deliveries/<candidate>/ dossier of a delivered candidate, and the files that it replaced
experiments/<job>/      config, logs, metrics and result of each job
reports/                HTML reports
services/<campaign>/    releases, telemetry and processes of a service that a campaign of kind `live` improves
training/episodes/      what each cycle did, one JSON file each; `episodes ID --rebuild` makes them again
workflow_runs/          JSON reports of the code feedback loop, one a run
"""

from __future__ import annotations

from pathlib import Path

from core.errors import StorageError
from core.settings import Settings
from memory.artifacts import Artifacts
from memory.candidates import Candidates
from memory.embeddings import embedder
from memory.ledger import Ledger
from memory.recall import Recall

__all__ = ["StateFolder"]


class StateFolder:
    """Paths of one state folder.  `ledger_url` puts the ledger elsewhere (`postgresql://…`)."""

    def __init__(
        self,
        home: Path,
        *,
        ledger_url: str | None = None,
        experiments: Path | None = None,
        episodes: Path | None = None,
        embedding_model: str = "all-MiniLM-L6-v2",
    ) -> None:
        self.home = home.absolute()
        self.ledger_url = ledger_url or str(self.home / "ledger.db")
        self.experiments = (experiments or self.home / "experiments").absolute()
        self.episodes = (episodes or self.home / "training" / "episodes").absolute()
        self.artifacts = Artifacts(self.home / "artifacts")
        self.bases = self.home / "bases"
        self.chroma = self.home / "chroma"
        self.checkpoints = self.home / "checkpoints"
        self.deliveries = self.home / "deliveries"
        self.reports = self.home / "reports"
        self.services = self.home / "services"
        self.workflow_runs = self.home / "workflow_runs"
        self.embedding_model = embedding_model

    @classmethod
    def of(cls, settings: Settings) -> StateFolder:
        """The state folder that the settings name."""
        return cls(
            settings.home,
            ledger_url=settings.ledger_url or None,
            experiments=settings.experiments_dir,
            episodes=settings.episodes_dir,
            embedding_model=settings.embedding_model,
        )

    @property
    def exists(self) -> bool:
        return "://" in self.ledger_url or Path(self.ledger_url).exists()

    def create(self) -> None:
        """Make the folders, private to the user, and keep git away from them.  Raises StorageError."""
        try:
            for folder in (self.home, self.experiments, self.checkpoints):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            ignore = self.home / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n")
        except OSError as error:
            raise StorageError(
                f"cannot make the state folder: {error.strerror}", where=str(self.home), hint="choose another --home"
            ) from error

    def open_ledger(self, *, check: bool = False) -> Ledger:
        """The ledger; with `check`, read through first (a damaged file is set aside)."""
        self.create()
        return Ledger(self.ledger_url, check=check)

    def open_candidates(self, ledger: Ledger) -> Candidates:
        """The candidates in the ledger; what of them is big lies in this folder."""
        return Candidates(ledger.database, self.artifacts)

    def open_recall(self, ledger: Ledger, *, read_only: bool = False, unchecked: bool = False) -> Recall:
        """Recall over the ledger's embeddings: the writer if no other process is, else a reader.

        `unchecked`: a rebuild follows, so the index is not looked over first.
        """
        return Recall.open(
            self.chroma,
            ledger.embeddings,
            embedder(self.embedding_model),
            read_only=read_only,
            unchecked=unchecked,
        )
