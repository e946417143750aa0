"""What the pipeline may import: no Django, and no heavy library where the web process looks in."""

import subprocess
import sys

import pytest

from tests.pipeline.processes import ROOT


def _loaded(modules: str, forbidden: str) -> str:
    code = f"import sys, {modules}; print(sorted({{{forbidden}}} & set(sys.modules)))"
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


def test_the_web_process_gets_no_machine_learning_from_what_it_imports() -> None:
    names = ("config", "manifest", "partition", "weights", "events", "supervision")
    modules = ", ".join(f"training.pipeline.{name}" for name in names)
    assert _loaded(modules, "'tensorflow', 'numpy', 'PIL', 'cv2', 'django'") == "[]"


def test_inference_loads_neither_tensorflow_nor_django() -> None:
    assert _loaded("training.pipeline.infer", "'tensorflow', 'django', 'albumentations'") == "[]"


@pytest.mark.slow
def test_the_whole_pipeline_knows_no_django() -> None:
    modules = ", ".join(f"training.pipeline.{name}" for name in ("stages", "train", "export", "augment", "infer"))
    assert _loaded(modules, "'django', 'datasets.models', 'annotations.models'") == "[]"
