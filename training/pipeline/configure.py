"""Stage 5, configure: one Model Garden experiment out of a run's configuration, saved as YAML beside the run."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

import official.vision.tasks.maskrcnn
import official.vision.tasks.retinanet  # noqa: F401  both register their tasks' experiments
import yaml
from official.core import config_definitions, exp_factory
from official.modeling import optimization

from training.pipeline import tfrecord
from training.pipeline.architectures import ARCHITECTURES
from training.pipeline.config import RunConfig
from training.pipeline.manifest import Manifest

FILE_NAME = "experiment.yaml"
Experiment: TypeAlias = config_definitions.ExperimentConfig

# The pretrained backbones were made with these; other values would change what their weights compute.
_BATCH_NORM_EPSILON = 1e-3
_BATCH_NORM_MOMENTUM = 0.97


def configure(config: RunConfig, manifest: Manifest, workdir: Path) -> Experiment:
    """Build the experiment for `manifest` with the records of `workdir` and write it to WORKDIR/experiment.yaml."""
    experiment = of_run(config, manifest, workdir)
    text = yaml.safe_dump(experiment.as_dict(), default_flow_style=False)
    (workdir / FILE_NAME).write_text(text, encoding="utf-8")
    return experiment


def of_run(config: RunConfig, manifest: Manifest, workdir: Path) -> Experiment:
    """The same, in memory: what a resumed run and a machine that trains along have as well."""
    experiment = build(config, classes=len(manifest.labels), workdir=workdir)
    # A Faster R-CNN takes boxes beyond this number for background.
    most = max(config.max_boxes, *(len(artwork.boxes) for artwork in manifest.artworks))
    for data in (experiment.task.train_data, experiment.task.validation_data):
        data.parser.max_num_instances = most
    return experiment


def build(config: RunConfig, *, classes: int, workdir: Path) -> Experiment:
    """The experiment of a detector with `classes` concepts on the records of `workdir`, in memory."""
    experiment = exp_factory.get_exp_config(ARCHITECTURES[config.architecture].experiment)
    experiment.runtime.mixed_precision_dtype = "float32"
    _set_model(experiment.task.model, config, classes)
    _set_data(experiment.task.train_data, config, tfrecord.pattern(workdir, "train"), training=True)
    _set_data(experiment.task.validation_data, config, tfrecord.pattern(workdir, "test"), training=False)
    experiment.task.init_checkpoint = None
    experiment.task.init_checkpoint_modules = "backbone"
    experiment.task.freeze_backbone = config.freeze_backbone
    experiment.task.annotation_file = None
    experiment.task.losses.l2_weight_decay = config.weight_decay
    _set_trainer(experiment.trainer, config)
    return experiment


def _set_model(model: Any, config: RunConfig, classes: int) -> None:
    model.num_classes = classes + 1  # the background counts
    model.input_size = [config.input_size, config.input_size, 3]
    model.norm_activation.use_sync_bn = False
    # The same boxes as by Model Garden's default, which is made for TPUs, in a fortieth of the time on a processor.
    model.detection_generator.nms_version = "batched"
    if config.backbone == "mobilenet_v2":
        model.backbone.type = "mobilenet"
        model.backbone.mobilenet.model_id = "MobileNetV2"
        _set_small(model)
    elif config.backbone == "efficientnet_lite0":
        model.backbone.type = "efficientnet"
        model.backbone.efficientnet.model_id = "b0"
        model.backbone.efficientnet.se_ratio = 0.0
        _set_small(model)
    elif config.backbone == "mobile_spinenet49":
        # TFLite cannot run the other way of enlarging that Model Garden has.
        model.backbone.spinenet_mobile.use_keras_upsampling_2d = True
    if hasattr(model, "roi_generator"):
        _set_proposals(model)


def _set_proposals(model: Any) -> None:
    """Fewer places to look at twice than Model Garden's TPUs have time for: those of the first papers."""
    model.roi_generator.use_batched_nms = True
    model.roi_generator.test_num_proposals = 300  # arXiv 1506.01497
    model.roi_sampler.num_sampled_rois = 128  # arXiv 1504.08083


def _set_small(model: Any) -> None:
    """A pyramid and head that fit a small backbone; the other architectures keep those of their experiment."""
    model.norm_activation.activation = "relu6"
    model.norm_activation.norm_epsilon = _BATCH_NORM_EPSILON
    model.norm_activation.norm_momentum = _BATCH_NORM_MOMENTUM
    model.decoder.fpn.num_filters = 96
    model.decoder.fpn.use_separable_conv = True
    model.head.num_filters = 96
    model.head.num_convs = 2
    model.head.use_separable_conv = True


def _set_data(data: Any, config: RunConfig, records: str, *, training: bool) -> None:
    data.input_path = records
    data.is_training = training
    data.drop_remainder = training
    data.global_batch_size = config.batch_size
    data.dtype = "float32"
    data.shuffle_buffer_size = 256
    data.seed = config.seed
    data.deterministic = True  # machines that train together read the same batches
    data.parser.max_num_instances = config.max_boxes
    if training:
        data.parser.aug_rand_hflip = config.flip
        data.parser.aug_scale_min = config.scale_min
        data.parser.aug_scale_max = config.scale_max


def _set_trainer(trainer: Any, config: RunConfig) -> None:
    """The learning rate is none of Model Garden's schedules: `pace` sets it by the time that is left."""
    trainer.train_steps = config.steps
    trainer.optimizer_config = optimization.OptimizationConfig(
        {
            "optimizer": {"type": "adam", "adam": {"clipnorm": config.clip_norm}},
            "learning_rate": {"type": "constant", "constant": {"learning_rate": config.learning_rate}},
        }
    )
