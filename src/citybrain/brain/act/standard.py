"""The flow that most matters follow: 立案 → 派遣 → 处置 → 核查 → 结案 (the stages of GB/T 30428 as districts quote them)."""

from citybrain.kernel.cases import Flow, Move, State
from citybrain.kernel.text import Text

STANDARD_FLOW = Flow(
    name="standard",
    version=1,
    title=Text("标准办理流程", "Standard flow"),
    first="reported",
    reopens=(("closed", "assigned"),),
    states=(
        State("reported", Text("待受理", "Reported")),
        State("filed", Text("已立案，待派遣", "Filed")),
        State("assigned", Text("已派遣，待处置", "Assigned")),
        State("handling", Text("处置中", "Being handled")),
        State("finished", Text("已处置，待核查", "Finished, to be checked")),
        State("closed", Text("已结案", "Closed"), end=True),
        State("dismissed", Text("不予受理", "Dismissed"), end=True),
    ),
    moves=(
        Move("accept", Text("受理立案", "File"), ("reported",), "filed", ("dispatcher",)),
        Move("dismiss", Text("不予受理", "Dismiss"), ("reported",), "dismissed", ("dispatcher",), needs_note=True, answers=True),
        Move("assign", Text("派遣", "Assign"), ("filed",), "assigned", ("dispatcher",), needs_unit=True),
        Move("take", Text("受理任务", "Take"), ("assigned",), "handling", ("handler",)),
        Move(
            "transfer",
            Text("转办", "Transfer"),
            ("assigned", "handling"),
            "assigned",
            ("handler", "dispatcher"),
            needs_note=True,
            needs_unit=True,
        ),
        Move(
            "finish", Text("处置完成", "Finish"), ("handling",), "finished", ("handler",), needs_note=True, answers=True, photo=True
        ),
        Move("approve", Text("核查通过，结案", "Check passed, close"), ("finished",), "closed", ("dispatcher",)),
        Move("return", Text("核查不通过，返工", "Return for rework"), ("finished",), "handling", ("dispatcher",), needs_note=True),
    ),
)
