"""Training on several GPUs or several machines, with the strategies that TensorFlow and Model Garden have for it.

The setting WEBNET_DISTRIBUTION says which: "off" (one device), "mirrored" (all GPUs of this machine) or
"multi_worker_mirrored" (the machines that TF_CONFIG names, https://www.tensorflow.org/guide/distributed_training).
Every machine runs the same program on the same work folder. The first of them decides when what happens and is the only
one that writes and speaks. A batch is shared out among all, and the loss is that of the whole batch, so that several
machines learn what one would.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import tensorflow as tf
from official.common import distribute_utils
from official.vision.tasks.retinanet import RetinaNetTask

OFF, MIRRORED, MULTI_WORKER = "off", "mirrored", "multi_worker_mirrored"
CHOICES = (OFF, MIRRORED, MULTI_WORKER)


class Distribution:
    """The devices that train together. To be made before TensorFlow computes anything."""

    def __init__(self, name: str) -> None:
        """`name`: one of CHOICES. Waits for the other machines."""
        gpus = len(tf.config.list_physical_devices("GPU"))
        self.strategy = distribute_utils.get_distribution_strategy(name, num_gpus=0 if name == OFF else gpus)
        self.is_shared = name != OFF
        task = json.loads(os.environ.get("TF_CONFIG") or "{}") if name == MULTI_WORKER else {}
        self.rank = int(task.get("task", {}).get("index", 0))
        self.machines = len(task.get("cluster", {}).get("worker", ("this",)))

    @property
    def is_chief(self) -> bool:
        """Whether this is the machine that decides."""
        return self.rank == 0

    @property
    def replicas(self) -> int:
        """How many devices share a batch."""
        return int(self.strategy.num_replicas_in_sync)

    def batches(self, dataset: Any) -> Iterator[Any]:
        """What this machine's devices see of each batch of `dataset`, which every machine reads whole and in order."""
        if not self.is_shared:
            return iter(dataset)
        here = self.replicas // self.machines
        first = self.rank * here

        def share(batch: Any) -> Any:
            def split(values: Any) -> Any:
                return tf.reshape(values, (self.replicas, -1, *values.shape[1:]))[first : first + here]

            return tf.data.Dataset.from_tensor_slices(tf.nest.map_structure(split, batch))

        distributed = self.strategy.distribute_datasets_from_function(
            lambda _context: dataset.flat_map(lambda *batch: share(batch))
        )
        return iter(distributed)

    def agree(self, *wanted: float) -> tuple[float, ...]:
        """What the first machine wants; all must ask at the same point of the program."""
        if self.machines == 1:
            return wanted
        # Each device adds a share of what the first machine says, and nothing on the others.
        said = [float(value) / (self.replicas // self.machines) if self.is_chief else 0.0 for value in wanted]
        shares = self.strategy.experimental_distribute_values_from_function(
            lambda _context: tf.constant(said, tf.float64)
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
