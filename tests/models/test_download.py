"""Downloads from a hub on loopback: downloading, checking, pinning, and putting in place."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from models.errors import DiskTooSmall, DownloadFailed, LockInvalid
from models.staging import staging_area
from models.store import ModelState, open_store
from tests.models.conftest import WEIGHTS, WHISPER, Site, repository, write_manifest
from tests.models.loopback_hub import STRANGER, TOKEN, Fault, blob_id, commit_of

pytestmark = pytest.mark.unit

FETCHED = {path: WHISPER[path] for path in ("config.json", "model.bin", "vocabulary.txt", "LICENSE")}
MIB = 1 << 20


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_brings_what_the_manifest_asks_for_and_nothing_else(site: Site) -> None:
    assert site.download("whisper") == []
    assert site.files("whisper") == FETCHED
    assert not site.partials()
    assert open_store(site.root).resolve("whisper") == site.root / "store" / "whisper"


def test_the_first_download_pins_commit_sizes_and_hashes(site: Site) -> None:
    site.download("whisper")
    pin = site.pin("whisper")
    assert pin["repository"] == "lab/whisper"
    assert pin["revision"] == commit_of("lab/whisper" + "first")
    assert pin["files"] == [
        {"path": path, "size": len(content), "sha256": sha256(content)} for path, content in sorted(FETCHED.items())
    ]


def test_the_table_says_size_commit_and_licence_before_anything_is_fetched(site: Site) -> None:
    site.token = TOKEN
    site.download("llama")
    assert "Llama Community" in site.shown
    assert f"meta/llama@{commit_of('meta/llamafirst')[:8]}" in site.shown


def test_a_voices_files_lie_flat_and_its_card_is_shown(site: Site) -> None:
    assert site.download("amy") == []
    assert set(site.files("amy")) == {"amy.onnx", "MODEL_CARD"}
    assert site.pin("amy")["folder"] == "en/amy"
    assert "License: for research only" in site.shown


def test_a_second_run_asks_the_hub_nothing(site: Site) -> None:
    site.download("whisper")
    site.hub.requests.clear()
    assert site.download("whisper") == []
    assert "already downloaded" in site.shown
    assert site.hub.requests == []


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b"x"), Path.unlink, lambda path: flip(path)])
def test_a_damaged_or_missing_file_is_fetched_again_and_only_that_one(site: Site, damage: Any) -> None:
    site.download("whisper")
    site.hub.requests.clear()
    damage(site.root / "store" / "whisper" / "model.bin")
    assert site.download("whisper") == []
    assert site.files("whisper") == FETCHED
    assert {seen.path.rsplit("/", 1)[-1] for seen in site.hub.requests} == {"model.bin"}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[1000] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("kind", ["drop", "reset"])
def test_a_dropped_connection_is_taken_up_where_it_ended(site: Site, kind: str) -> None:
    site.hub.faults["model.bin"] = [Fault(after=MIB + 5, kind=kind)]
    assert site.download("whisper") == []
    assert site.files("whisper") == FETCHED
    assert "bytes=1048576-" in [seen.range for seen in site.hub.got("model.bin")]


def test_an_interrupted_run_is_continued_by_the_next(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.hub.faults["model.bin"] = [Fault(after=2 * MIB)]

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("huggingface_hub.file_download.time.sleep", interrupt)  # Ctrl-C while it waits to try again
        with pytest.raises(KeyboardInterrupt):
            site.download("whisper")
    assert site.files("whisper") == {}
    assert [path.stat().st_size for path in site.partials()] == [2 * MIB]
    assert site.pin("whisper") is None
    site.hub.requests.clear()
    assert site.download("whisper") == []
    assert {seen.range for seen in site.hub.got("model.bin")} == {"bytes=2097152-"}
    assert site.hub.got("config.json") == []
    assert site.files("whisper") == FETCHED


def test_a_partial_file_with_other_bytes_is_fetched_from_its_beginning(site: Site) -> None:
    staged = site.root / "store" / ".downloads" / "whisper"
    staged.mkdir(parents=True)
    (staged / f"model.bin.{sha256(WEIGHTS)[:12]}.partial").write_bytes(b"\0" * MIB)
    assert site.download("whisper") == []
    assert site.files("whisper") == FETCHED


def test_wrong_bytes_are_refused_by_the_files_name_and_nothing_of_them_stays(site: Site) -> None:
    site.hub.served["model.bin"] = WEIGHTS[:-1] + b"?"
    (failure,) = site.download("whisper")
    assert "sent bytes for model.bin that do not have the hash" in failure
    assert site.files("whisper") == {}
    assert site.partials() == []
    assert site.pin("whisper") is None


def test_a_small_files_wrong_bytes_are_refused_by_gits_hash(site: Site) -> None:
    site.hub.served["config.json"] = b'{"a": 2}'
    (failure,) = site.download("whisper")
    assert "config.json" in failure
    assert blob_id(WHISPER["config.json"]) in failure


@pytest.mark.parametrize("content", [WEIGHTS[: MIB + 7], WEIGHTS + b"more"])
def test_another_length_is_refused_and_nothing_of_it_stays(site: Site, content: bytes) -> None:
    site.hub.served["model.bin"] = content
    (failure,) = site.download("whisper")
    assert "model.bin" in failure
    assert "not kept" in failure or "nothing of it was kept" in failure
    assert site.files("whisper") == {}
    assert site.partials() == []


def test_a_listing_that_lies_about_the_size_is_refused(site: Site) -> None:
    site.hub.repositories["lab/whisper"].sizes["model.bin"] = len(WEIGHTS) - 1
    (failure,) = site.download("whisper")
    assert "model.bin" in failure
    assert site.files("whisper") == {}


def test_a_mirror_that_lists_names_only_is_asked_for_each_file(site: Site) -> None:
    site.hub.repositories["lab/whisper"].listed = False
    assert site.download("whisper") == []
    assert site.files("whisper") == FETCHED


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (
            None,
            [
                "is gated (401)",
                "open https://huggingface.co/meta/llama",
                "accept the licence",
                "HF_TOKEN=hf_... into .env",
            ],
        ),
        (STRANGER, ["may not read meta/llama (403)", "open https://huggingface.co/meta/llama"]),
        ("hf_expired", ["does not accept HF_TOKEN (401)", "make a new one"]),
    ],
)
def test_a_closed_gate_names_the_page_that_opens_it(site: Site, token: str | None, told: list[str]) -> None:
    site.token = token
    (failure,) = site.download("llama")
    assert [part for part in told if part not in failure] == []
    assert site.hub.got("model.safetensors") == []


def test_the_token_opens_the_gate_and_is_shown_to_nobody_else(site: Site) -> None:
    site.token = TOKEN
    assert site.download("llama", "whisper") == []
    with_token = {seen.path for seen in site.hub.requests if seen.token}
    assert with_token
    assert not any("whisper" in path or path.startswith("/storage/") for path in with_token)


def test_one_model_that_cannot_be_had_does_not_keep_the_others_from_coming(site: Site) -> None:
    assert len(site.download("llama", "whisper")) == 1
    assert site.files("whisper") == FETCHED


def test_an_absent_repository_is_named(site: Site) -> None:
    del site.hub.repositories["lab/whisper"]
    (failure,) = site.download("whisper")
    assert "does not have the list of files of lab/whisper (404)" in failure


def test_a_file_that_the_repository_no_longer_has_is_named(site: Site) -> None:
    del site.hub.repositories["lab/whisper"].commits[commit_of("lab/whisperfirst")]["model.bin"]
    (failure,) = site.download("whisper")
    assert "lab/whisper has no file model.bin" in failure


def test_a_pinned_commit_that_is_gone_is_told(site: Site) -> None:
    site.download("whisper")
    (site.root / "store" / "whisper" / "config.json").unlink()
    stored = site.hub.repositories["lab/whisper"]
    stored.commits = {"f" * 40: stored.commits.popitem()[1]}
    (failure,) = site.download("whisper")
    assert "config.json of lab/whisper (404)" in failure
    assert "--update" in failure


@pytest.mark.parametrize("status", [500, 503])
def test_a_hub_in_trouble_is_told_with_its_status(site: Site, status: int) -> None:
    site.hub.faults["config.json"] = [Fault(after=status, kind="status")]
    (failure,) = site.download("whisper")
    assert f"answered {status}" in failure
    assert "the same command continues" in failure


def test_a_stalled_connection_is_given_up_and_taken_up_again(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.3)
    site.hub.faults["model.bin"] = [Fault(after=MIB, kind="stall")]
    assert site.download("whisper") == []
    assert site.files("whisper") == FETCHED


def test_a_hub_that_stays_silent_is_told_and_what_has_arrived_stays(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    site.hub.faults["model.bin"] = [Fault(after=MIB, kind="stall"), *(Fault(kind="stall") for _ in range(10))]
    (failure,) = site.download("whisper")
    assert "stopped sending model.bin" in failure
    assert [path.stat().st_size for path in site.partials()] == [MIB]


def test_a_connection_that_keeps_breaking_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.file_download.time.sleep", lambda _: None)
    site.hub.faults["model.bin"] = [Fault(after=MIB), *(Fault() for _ in range(10))]
    (failure,) = site.download("whisper")
    assert f"connection to {site.hub.url} broke during model.bin of lab/whisper" in failure
    assert "the same command continues" in failure
    assert [path.stat().st_size for path in site.partials()] == [MIB]
    site.hub.faults.clear()
    assert site.download("whisper") == []


def test_a_disk_that_fills_up_is_told(site: Site) -> None:
    staged = site.root / "store" / ".downloads" / "whisper"
    staged.mkdir(parents=True)
    (staged / f"model.bin.{sha256(WEIGHTS)[:12]}.partial").symlink_to("/dev/full")
    with pytest.raises(DiskTooSmall, match=r"The disk became full during model\.bin of lab/whisper: free some space"):
        site.download("whisper")


def test_a_folder_that_may_not_be_written_is_told(site: Site) -> None:
    (site.root / "store").write_text("in the way")
    with pytest.raises(DownloadFailed, match=r"cannot be written .*Make it writable"):
        site.download("whisper")


def test_nobody_at_the_address_is_told_with_what_to_do(site: Site) -> None:
    site.hub.url = "http://127.0.0.1:9"
    (failure,) = site.download("whisper")
    assert "http://127.0.0.1:9 cannot be reached" in failure
    assert "--mirror" in failure


def test_too_small_a_disk_is_refused_with_figures_before_anything_is_fetched(site: Site) -> None:
    site.hub.repositories["lab/whisper"].sizes["model.bin"] = 10**16
    with pytest.raises(
        DiskTooSmall, match=r"needs 10000000\.0 GB in .*, but only [\d.]+ GB are free there\. Free [\d.]+ GB"
    ):
        site.download("whisper")
    assert site.hub.got("config.json") == []


def test_the_lock_is_kept_to_when_the_branch_has_moved(site: Site) -> None:
    site.download("whisper")
    site.hub.add("lab/whisper", {**WHISPER, "model.bin": WEIGHTS[::-1]}, label="second")
    (site.root / "store" / "whisper" / "model.bin").unlink()
    assert site.download("whisper") == []
    assert site.files("whisper") == FETCHED


def test_another_site_with_the_lock_gets_the_same_bytes(site: Site, tmp_path: Path) -> None:
    site.download("whisper")
    site.hub.add(
        "lab/whisper", {"config.json": b"[]", "model.bin": WEIGHTS[::-1], "vocabulary.txt": b"a"}, label="second"
    )
    other = Site(tmp_path / "other" / "models", site.hub)
    other.root.mkdir(parents=True)
    for name in ("manifest.yaml", "lock.yaml"):
        (other.root / name).write_bytes((site.root / name).read_bytes())
    assert other.download("whisper") == []
    assert other.files("whisper") == FETCHED


def test_update_moves_the_pin_and_takes_away_what_no_longer_belongs(site: Site) -> None:
    site.download("whisper")
    new = {"config.json": b"[1]", "model.bin": WEIGHTS[::-1], "vocabulary.json": b"[]"}
    commit = site.hub.add("lab/whisper", new, label="second")
    assert site.download("whisper", update=("whisper",)) == []
    assert site.files("whisper") == new
    assert site.pin("whisper")["revision"] == commit
    assert open_store(site.root).status("whisper").state is ModelState.OK


def test_a_failed_update_leaves_the_old_model_whole(site: Site) -> None:
    site.download("whisper")
    site.hub.add("lab/whisper", {**WHISPER, "model.bin": WEIGHTS[::-1]}, label="second")
    site.hub.served["model.bin"] = WEIGHTS
    assert len(site.download("whisper", update=("whisper",))) == 1
    assert open_store(site.root).status("whisper").state is ModelState.OK
    assert site.files("whisper") == FETCHED


def test_a_lock_for_another_repository_is_refused_by_name(site: Site) -> None:
    site.download("whisper")
    write_manifest(site.root, whisper=repository("lab/whisper-two"))
    with pytest.raises(
        LockInvalid, match=r"pins 'whisper' to the repository lab/whisper, .* says lab/whisper-two\..*--update whisper"
    ):
        open_store(site.root)
    site.hub.add("lab/whisper-two", {"model.bin": WEIGHTS})
    assert site.download("whisper", update=("whisper",)) == []
    assert open_store(site.root).is_present("whisper")


def test_two_downloads_at_once_are_one_too_many(site: Site) -> None:
    with (
        staging_area(site.root / "store"),
        pytest.raises(DownloadFailed, match=r"Another download into models/store is running"),
    ):
        site.download("whisper")


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../outside"])
def test_a_name_that_leads_out_of_the_folder_is_refused(site: Site, path: str) -> None:
    site.hub.add("lab/whisper", {**WHISPER, path: b"x"}, label="evil")
    (failure,) = site.download("whisper")
    assert path in failure
    assert not (site.root / "store" / "outside").exists()


def test_models_that_come_with_callbox_are_no_download(site: Site) -> None:
    store = yaml.safe_load((site.root / "manifest.yaml").read_text())
    store["models"]["inside"] = {
        **store["models"]["whisper"],
        "source": {
            "kind": "installed",
            "package": "no-such",
            "version": "1.0",
            "module": "no_such",
            "folder": "assets",
        },
        "files": [{"path": "a", "size": 1, "sha256": "0" * 64}],
    }
    (site.root / "manifest.yaml").write_text(yaml.safe_dump(store))
    (failure,) = site.download("inside")
    assert "no-such 1.0" in failure
