"""The stage `train`, as real processes."""

import hashlib
import json
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from helpers.trainable import LABELS, STAGE, outputs, saved_step, start, train, write_tree
from stages.evaluation.calibration import fit_temperature
from stages.faces.table import write_index
from stages.models.forward import model_logits
from stages.models.saved_model import load


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(tmp_path) -> None:
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        write_tree(tmp_path / name, seed)
        done = train(tmp_path / name)
        assert done.returncode == 0, done.stderr
    first, again, other = (outputs(tmp_path / name) for name in ("first", "again", "other"))
    assert first == again
    assert first["data/model/weights.safetensors"] != other["data/model/weights.safetensors"]
    config = json.loads(first["data/model/config.json"])
    assert config["drawn_faces"] and config["labels"] == LABELS and config["seed"] == 0 and config["fold"] == 0
    for curve in ("lr", "train/loss", "validation/macro_f1"):
        assert len(first[f"plots/training/plots/metrics/{curve}.tsv"].splitlines()) == 3  # a header and two epochs


@pytest.mark.slow
def test_an_error_is_one_line_and_keeps_the_last_model(tmp_path) -> None:
    write_tree(tmp_path)
    (tmp_path / "data/model").mkdir()
    (tmp_path / "data/model/config.json").write_text("{}")
    index = pd.read_csv(tmp_path / "data/split/index.csv")
    write_index(index[index.fold != 0], tmp_path / "data/split/index.csv")
    done = train(tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("ERROR: split.fold: no validation face is left") and done.stderr.count("\n") == 1
    assert outputs(tmp_path) == {"data/model/config.json": b"{}"}


def test_the_temperature_is_that_of_the_validation_faces(tmp_path) -> None:
    write_tree(tmp_path, seed=3, epochs=1, label_smoothing=0.3)
    assert train(tmp_path).returncode == 0
    network, config = load(tmp_path / "data/model")
    index = pd.read_csv(tmp_path / "data/split/index.csv").query("fold == 0 and split == 'train'")
    faces = np.load(tmp_path / "data/merged/faces.npy")[index.id]
    outputs = model_logits(network, config, faces).double().numpy()
    fitted = fit_temperature(outputs, pd.Index(LABELS).get_indexer(index.label))
    assert config["temperature"] == pytest.approx(fitted, rel=1e-5) and config["face_size"] == 16


def test_one_data_set_is_trained_on_its_own_labels(tmp_path) -> None:
    write_tree(tmp_path, epochs=1, normalise="face")
    params, index = tmp_path / "params.yaml", pd.read_csv(tmp_path / "data/split/index.csv")
    index.loc[index.dataset == "drawn-sfew", "label"] = "anger"
    held = index.index[(index.dataset == "drawn-ck48") & (index.fold == 0)]
    index.loc[held[0], "label"] = "anger"  # a validation face with a label that no training face has
    write_index(index, tmp_path / "data/split/index.csv")
    params.write_text(params.read_text().replace("- happy", "- anger\n  - happy"))
    done = train(tmp_path, [*STAGE, "--dataset", "ck48", "--to", "run"])
    assert done.returncode == 0, done.stderr
    assert "19 training faces, 3 validation faces" in done.stdout  # of 20: those of four folds, with their copies
    config = json.loads((tmp_path / "run/model/config.json").read_text())
    assert config["labels"] == LABELS and config["dataset"] == "ck48" and config["inputs"]["per_face"]


def wait_for_a_save(process: subprocess.Popen, checkpoints: Path) -> None:
    """Wait until a running training saves its next checkpoint."""

    def saved() -> list[int]:
        return [path.stat().st_mtime_ns for path in checkpoints.glob("*.pt")]

    before = saved()
    while saved() == before:
        assert process.poll() is None
        time.sleep(0.01)


def test_ctrl_c_is_one_line_and_the_next_run_continues(tmp_path, checkpoints: Path) -> None:
    write_tree(tmp_path, epochs=20, patience=20)
    process = start(tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    process.stdout.read(1)  # the first line is printed just before training starts
    wait_for_a_save(process, checkpoints)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "resumed" not in printed
    *epochs, last = errors.splitlines()
    stopped = re.fullmatch(
        r"stopped in epoch (\d+); run the same command again to continue from the last checkpoint", last
    )
    assert stopped and all(line.startswith("epoch ") for line in epochs)

    done = train(tmp_path)
    assert done.returncode == 0, done.stderr
    resumed = int(re.search(r"^resumed after epoch (\d+)$", done.stdout, re.MULTILINE)[1])
    assert 0 < resumed < int(stopped[1]) and done.stdout.count("resumed") == 1
    assert done.stderr.startswith(f"epoch {resumed + 1}/20: ")
    curve = (tmp_path / "plots/training/plots/metrics/validation/macro_f1.tsv").read_text()
    assert len(curve.splitlines()) == 1 + 20  # the header and all epochs
    facts = json.loads((tmp_path / "metrics/training.json").read_text())
    assert list(facts) == ["device", "precision", "processes", "threads", "seconds", "faces_per_second", "torch"]
    assert facts["processes"] == 1 and facts["threads"] > 0 and facts["seconds"] > 0 and facts["faces_per_second"] > 0


@pytest.mark.slow
def test_with_other_faces_in_another_precision_or_with_faces_on_disk_it_starts_anew(
    tmp_path, checkpoints: Path
) -> None:
    write_tree(tmp_path, epochs=20, patience=20, precision="float32")
    process = start(tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_for_a_save(process, checkpoints)
    process.kill()
    process.communicate()
    faces = tmp_path / "data/merged/faces.npy"
    content = faces.read_bytes()
    np.save(faces, np.load(faces)[:, :, ::-1])  # other faces with the same index, mean and standard deviation
    other = train(tmp_path)
    assert other.returncode == 0 and "resumed" not in other.stdout, other.stderr
    faces.write_bytes(content)
    params = tmp_path / "params.yaml"
    before = params.read_text()
    anew = "no checkpoint for {}, only for cpu-float32-resident: the training starts anew\n"
    params.write_text(before.replace("precision: float32", "precision: float16"))
    process = start(tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr.readline() == anew.format("cpu-float16-resident")
    process.kill()  # CPUs take minutes in float16
    process.communicate()
    params.write_text(before.replace("memory_share: 0.4", "memory_share: 0.0"))
    done = train(tmp_path)
    assert done.returncode == 0 and "resumed" not in done.stdout, done.stderr
    assert done.stderr.startswith(anew.format("cpu-float32-streamed")), done.stderr
    params.write_text(before)
    assert "resumed after epoch" in train(tmp_path).stdout


@pytest.mark.slow
def test_a_damaged_checkpoint_is_named_and_the_training_starts_anew(tmp_path, checkpoints: Path) -> None:
    for name in ("uninterrupted", "damaged"):
        write_tree(tmp_path / name, epochs=20, patience=20)
    assert train(tmp_path / "uninterrupted").returncode == 0
    process = start(tmp_path / "damaged", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_for_a_save(process, checkpoints)
    process.kill()
    process.communicate()
    (path,) = checkpoints.glob("*.pt")
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    done = train(tmp_path / "damaged")
    assert done.returncode == 0 and "resumed" not in done.stdout
    assert done.stderr.startswith(
        f"{path}: the checkpoint is damaged, or of another training; the training starts anew\n"
    )
    assert outputs(tmp_path / "damaged") == outputs(tmp_path / "uninterrupted")


@pytest.mark.slow
def test_a_training_without_a_cache_folder_says_so_once(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("first", "second"):
        write_tree(tmp_path / name)
    assert train(tmp_path / "first").returncode == 0
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    done = train(tmp_path / "second")
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if not line.startswith("epoch ")]
    assert line.startswith(f"no checkpoint ({tmp_path / 'file'}")
    assert outputs(tmp_path / "second") == outputs(tmp_path / "first")


def test_dvc_without_room_for_its_own_files_is_one_line(tmp_path) -> None:
    write_tree(tmp_path)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/config").write_text("[core]\n    no_scm = true\n    site_cache_dir = site\n")
    before = sorted(path for path in (tmp_path / "data").rglob("*"))
    done = train(tmp_path, ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *STAGE])
    assert done.returncode == 1 and done.stderr.startswith("ERROR: DVC cannot write its own files"), done.stderr
    assert done.stderr.count("\n") == 1 and sorted(path for path in (tmp_path / "data").rglob("*")) == before


@pytest.mark.slow
def test_ten_kills_do_not_change_the_weights(tmp_path, checkpoints: Path) -> None:
    settings = {"epochs": 40, "patience": 40, "dropout": 0.3, "checkpoint_minutes": 0.0001}
    for name in ("uninterrupted", "killed"):
        write_tree(tmp_path / name, **settings)
    done = train(tmp_path / "uninterrupted")
    assert done.returncode == 0, done.stderr

    rng, root, last_step = random.Random(0), tmp_path / "killed", 0
    for _ in range(10):
        process = start(root, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        process.stdout.read(1)  # the first line is printed just before training starts
        for _ in range(rng.randrange(4)):
            wait_for_a_save(process, checkpoints)
        time.sleep(rng.uniform(0, 0.1))
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
        process.stdout.close()
        for path in checkpoints.glob("*.pt"):
            last_step = max(last_step, saved_step(path))
        assert not (root / "data/model").exists()
    assert last_step >= 8, "no kill came late enough to test anything"
    done = train(root)
    assert done.returncode == 0, done.stderr
    assert outputs(root) == outputs(tmp_path / "uninterrupted")
    assert list(checkpoints.iterdir()) == []


@pytest.mark.slow
def test_tensorboard_gets_every_metric_and_the_speed(tmp_path) -> None:
    write_tree(tmp_path, tensorboard="events")
    done = train(tmp_path, [*STAGE, "--to", "runs/0-1"])
    assert done.returncode == 0 and re.search(r"epoch 2/2: .* s, \d+ faces/s", done.stderr), done.stderr
    events = EventAccumulator(str(tmp_path / "events/cnn5/0-1")).Reload()
    names = {f"{part}/{name}" for part in ("train", "validation") for name in ("loss", "accuracy", "macro_f1", "auroc")}
    assert names | {"lr", "speed/faces_per_second", "speed/seconds"} <= set(events.Tags()["scalars"])
    curve = (tmp_path / "runs/0-1/training/plots/metrics/train/loss.tsv").read_text().splitlines()[1:]
    assert [event.value for event in events.Scalars("train/loss")] == pytest.approx(
        [float(row.split("\t")[1]) for row in curve]
    )


@pytest.mark.slow
def test_a_compiled_network_trains_and_the_time_is_printed(tmp_path) -> None:
    write_tree(tmp_path, execution="compile")
    done = train(tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"compiled in the first step, \d+ s", done.stderr) and "epoch 2/2" in done.stderr
    assert json.loads((tmp_path / "data/model/config.json").read_text())["validation"]["macro_f1"] == 1.0


@pytest.mark.slow
def test_faces_that_exceed_the_memory_share_are_streamed(tmp_path) -> None:
    write_tree(tmp_path, memory_share=0.0, epochs=4)
    done = train(tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "data/model/config.json").read_text())["validation"]["macro_f1"] == 1.0


@pytest.mark.slow
def test_training_starts_from_the_weights_of_another_model(tmp_path) -> None:
    write_tree(tmp_path / "first")
    assert train(tmp_path / "first").returncode == 0
    write_tree(tmp_path / "second", init=str(tmp_path / "first/data/model"))
    done = train(tmp_path / "second")
    assert done.returncode == 0, done.stderr
    weights = (tmp_path / "first/data/model/weights.safetensors").read_bytes()
    config = json.loads((tmp_path / "second/data/model/config.json").read_text())
    assert config["initial_weights"] == hashlib.sha256(weights).hexdigest()
    write_tree(tmp_path / "third", init="nowhere")
    done = train(tmp_path / "third")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert done.stderr.startswith("ERROR: train.init: 'nowhere' is neither")
