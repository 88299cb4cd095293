"""The folders are what docs/ARCHITECTURE.md says they are, and the tests mirror them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = (
    "cli",
    "server",
    "crews",
    "opscrew",
    "tools",
    "demo",
    "agents",
    "tasks",
    "knowledge",
    "bench",
    "deploy",
    "docs",
)


def folders() -> list[str]:
    found = []
    for top in SOURCE:
        for folder in (ROOT / top, *(ROOT / top).rglob("*")):
            if folder.is_dir() and "__pycache__" not in folder.parts and _holds_files(folder):
                found.append(folder.relative_to(ROOT).as_posix() + "/")
    return sorted(found)


def _holds_files(folder: Path) -> bool:
    """What an earlier version left behind is bytecode alone."""
    return any(path.is_file() and "__pycache__" not in path.parts for path in folder.rglob("*"))


def test_every_folder_has_its_paragraph_in_the_architecture_page() -> None:
    page = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    assert [folder for folder in folders() if f"`{folder}`" not in page] == []


def test_the_architecture_page_names_no_folder_that_is_gone() -> None:
    page = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
    named = [word for word in page.replace("`", " ` ").split() if word.endswith("/") and word.split("/")[0] in SOURCE]
    assert named
    assert [folder for folder in named if not (ROOT / folder).is_dir()] == []


def test_tests_mirror_the_folders() -> None:
    own = {"bench", "live", "real", "support", "cassettes", "data"}
    mirrored = [f for f in (ROOT / "tests").rglob("*") if f.is_dir() and "__pycache__" not in f.parts]
    strays = [f.relative_to(ROOT / "tests").as_posix() for f in mirrored]
    assert [s for s in strays if not (ROOT / s).is_dir() and not own & set(s.split("/"))] == []


def test_data_folders_hold_no_python() -> None:
    assert [p for top in ("agents", "tasks", "knowledge") for p in (ROOT / top).rglob("*.py")] == []
