from study.commands import door, export_tensorboard

door.enter(export_tensorboard)
