"""From annotated artworks to a detector: plain functions over the files of a work folder, without Django.

Each stage is one module and reads and writes files, so that a stage can be rerun and looked at by itself. In the
order in which they run: `annotations`, `partition`, `augment`, `tfrecord`, `configure`, `train`, `evaluate`,
`export`; then `infer` uses what they made. `python -m training.pipeline WORKDIR` runs them all.

`config`, `manifest`, `partition`, `events` and `weights` import only the standard library: a web process may use them.
"""
