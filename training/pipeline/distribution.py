"""Training on several GPUs or several machines, with the strategies that TensorFlow and Model Garden have for it.

The setting WEBNET_DISTRIBUTION says which: "off" (one device), "mirrored" (all GPUs of this machine) or
"multi_worker_mirrored" (the machines that TF_CONFIG names, https://www.tensorflow.org/guide/distributed_training).
Every machine runs the same program on the same work folder. The first of them decides when what happens and is the only
one that writes and speaks. A batch is shared out among all, and the loss is that of the whole batch, so that several
machines learn what one would.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from official.common import distribute_utils
from official.vision.tasks.retinanet import RetinaNetTask

from training.pipeline import graphs
from training.pipeline.config import ConfigError
from training.pipeline.translation import Phrase, gettext_noop

OFF, MULTI_WORKER = "off", "multi_worker_mirrored"


class Distribution:
    """The devices that train together. To be made before TensorFlow computes anything."""

    def __init__(self, name: str) -> None:
        """`name`: as WEBNET_DISTRIBUTION has it. Waits for the other machines."""
        gpus = len(tf.config.list_physical_devices("GPU"))
        self.strategy = distribute_utils.get_distribution_strategy(name, num_gpus=0 if name == OFF else gpus)
        self.is_shared = name != OFF
        task = json.loads(os.environ.get("TF_CONFIG") or "{}") if name == MULTI_WORKER else {}
        self.rank = int(task.get("task", {}).get("index", 0))
        self.machines = len(task.get("cluster", {}).get("worker", ("this",)))
        self._readers: list[Iterator[Any]] = []

    @property
    def is_chief(self) -> bool:
        """Whether this is the machine that decides."""
        return self.rank == 0

    @property
    def replicas(self) -> int:
        """How many devices share a batch."""
        return int(self.strategy.num_replicas_in_sync)

    def scope(self) -> Any:
        """Where variables of all devices are made. On one device nothing: TensorFlow restores slots later within it."""
        return self.strategy.scope() if self.is_shared else contextlib.nullcontext()

    def batches(self, dataset: Any) -> Iterator[Any]:
        """What this machine's devices see of each batch of `dataset`, which every machine reads whole and in order.

        Goes on reading ahead as long as this object lives, or longer: the end of a reader takes up to a minute (see
        `graphs.reader`). Raises ConfigError where a batch cannot be shared out evenly.
        """
        if not self.is_shared:
            return graphs.reader(dataset)
        size = next(iter(tf.nest.flatten(dataset.element_spec))).shape[0]
        if size % self.replicas:
            text = gettext_noop("A batch of %(size)d pictures cannot be shared out evenly among %(devices)d devices.")
            raise ConfigError(Phrase(text, size=size, devices=self.replicas))
        here = self.replicas // self.machines
        first = self.rank * here

        def share(batch: Any) -> Any:
            def split(values: Any) -> Any:
                return tf.reshape(values, (self.replicas, -1, *values.shape[1:]))[first : first + here]

            return tf.data.Dataset.from_tensor_slices(tf.nest.map_structure(split, batch))

        distributed = self.strategy.distribute_datasets_from_function(
            lambda _context: dataset.flat_map(lambda *batch: share(batch))
        )
        self._readers.append(iter(distributed))
        return self._readers[-1]

    def agree(self, *wanted: float) -> tuple[float, ...]:
        """What the first machine wants; all must ask at the same point of the program."""
        if self.machines == 1:
            return wanted
        # The first device of the first machine says it; what the others say adds nothing.
        said = tf.constant(wanted, tf.float64)
        shares = self.strategy.experimental_distribute_values_from_function(
            lambda context: said if context.replica_id_in_sync_group == 0 else tf.zeros_like(said)
        )
        return tuple(self.strategy.reduce(tf.distribute.ReduceOp.SUM, shares, axis=None).numpy().tolist())


class SharedRetinaNetTask(RetinaNetTask):  # type: ignore[misc]
    """Model Garden's task, whose loss is divided by the boxes of the whole batch and not of a device's share of it."""

    def build_losses(self, outputs: Any, labels: Mapping[str, Any], aux_losses: Any = None) -> Any:
        """As in Model Garden: total, class, box and model loss; their mean over the devices is the batch's."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        own = tf.reduce_sum(labels["box_weights"]) + 1.0
        context = tf.distribute.get_replica_context()
        # One stands for the whole batch's one, which keeps a batch without boxes from dividing by nothing.
        everyone = context.all_reduce(tf.distribute.ReduceOp.SUM, own) - (replicas - 1.0)
        share = replicas * own / everyone
        total, classes, boxes, model = super().build_losses(outputs, labels, aux_losses)
        return total + (share - 1.0) * model, share * classes, share * boxes, share * model
