from study.commands import door, predict

door.enter(predict)
