"""Who may import whom, and what no process may load: read from the source, and tried in fresh processes."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
HEAVY = ("tensorflow", "tf_keras", "keras", "official", "albumentations", "cv2", "ai_edge_litert", "numpy", "scipy")


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh process has loaded after running `code`."""
    command = [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=True)
    return {name.split(".")[0] for name in done.stdout.split()}


def test_the_import_contracts_hold() -> None:
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout


def test_the_web_process_loads_no_machine_learning() -> None:
    """With all addresses, the admin and the forms loaded, as after the first request."""
    code = (
        "import webnet.asgi, django.urls; django.urls.get_resolver().url_patterns; django.urls.reverse('admin:index')"
    )
    assert loaded_by(code).isdisjoint(HEAVY)


def test_serving_loads_no_machine_learning() -> None:
    code = "import django, os; os.environ['DJANGO_SETTINGS_MODULE'] = 'webnet.settings'; django.setup()\n"
    assert loaded_by(code + "import webnet.management.commands.serve, webnet.preparation").isdisjoint(HEAVY)


def test_the_queue_loads_no_tensorflow_before_it_forks() -> None:
    code = "import webnet.asgi, training.tasks, django_q.cluster"
    assert loaded_by(code).isdisjoint({"tensorflow", "official", "keras"})


@pytest.mark.parametrize("module", ["coco_metrics", "config", "manifest", "partition", "events", "weights"])
def test_what_the_web_process_needs_of_the_pipeline_is_light(module: str) -> None:
    assert loaded_by(f"import training.pipeline.{module}").isdisjoint({"django", *HEAVY})


@pytest.mark.slow
def test_the_whole_pipeline_runs_without_django() -> None:
    modules = sorted(
        path.stem for path in (ROOT / "training" / "pipeline").glob("*.py") if not path.stem.startswith("__")
    )
    imports = "\n".join(f"import training.pipeline.{module}" for module in modules)
    assert loaded_by(imports).isdisjoint({"django", "rest_framework", "channels", "django_q"})


def test_setting_up_needs_only_the_standard_library() -> None:
    assert (
        loaded_by("import webnet.setting_up") - sys.stdlib_module_names - {"webnet", "__mp_main__"} <= _site_modules()
    )


def _site_modules() -> set[str]:
    """What the virtual environment itself loads at start (its .pth files)."""
    return loaded_by("")


def test_every_change_of_a_model_has_its_migration() -> None:
    command = [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout
