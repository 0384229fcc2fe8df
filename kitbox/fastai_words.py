"""Words of fast.ai for what a recipe calls otherwise."""

from __future__ import annotations

RECIPE = {
    "bs": "`batch_size`",
    "path": "the source: `source: {use: folder, path: ...}`",
    "valid_pct": "`split: {use: stratified, valid: 0.2}`, or `random`",
    "splitter": "`split`",
    "item_tfms": "`size` and `fit`",
    "batch_tfms": "`augmentation`",
    "tfms": "`augmentation`",
    "normalize": "nothing to say: pictures are normalised as the backbone was trained",
    "arch": "`backbone: {use: timm, name: resnet34}`",
    "model": "`backbone: {use: timm, name: resnet34}`",
    "pretrained": "`pretrained` of the backbone: `backbone: {use: timm, pretrained: false}`",
    "metrics": "`metrics` of the task: `task: {use: single-label, metrics: [...]}`",
    "lr": "`lr` of a stage: `stages: [{epochs: 1, lr: 1.0e-3}]`",
    "lr_max": "`lr` of a stage: `stages: [{epochs: 1, lr: 1.0e-3}]`",
    "max_lr": "`lr` of a stage: `stages: [{epochs: 1, lr: 1.0e-3}]`",
    "epochs": "`epochs` of a stage: `stages: [{epochs: 4, freeze: true}, {epochs: 2}]`",
    "n_epoch": "`epochs` of a stage: `stages: [{epochs: 4, freeze: true}, {epochs: 2}]`",
    "wd": "`weight_decay`",
    "cbs": "nothing like it: there are no callbacks",
}
"""What fast.ai calls it, and what says the same in a recipe."""

STAGE = {
    "lr_max": "`lr`",
    "max_lr": "`lr`",
    "base_lr": "`lr`",
    "n_epoch": "`epochs`",
    "freeze_epochs": "a stage of its own with `freeze: true`",
    "wd": "the recipe's own `weight_decay`",
    "bs": "the recipe's own `batch_size`",
    "cbs": "nothing like it: there are no callbacks",
}
"""The same in a stage."""
