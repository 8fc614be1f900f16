"""Trains the network of train.ts with PyTorch: python train_pytorch.py (see requirements-pytorch.txt).

Reads REGATTA_PARAMS and REGATTA_OUTPUT as train.ts does, prints the same JSON lines, and leaves model.onnx.
"""

import torch

from contract import (
    OPSET,
    Params,
    check_onnx,
    name_ends,
    print_epoch,
    read_output,
    read_params,
    read_windows,
    write_answers,
)

# The products are small: on a busy machine several threads wait for each other longer than one works.
torch.set_num_threads(1)


class Forecast(torch.nn.Module):
    """A recurrent layer with relu units and a dense layer to one answer: float32 [n, 100, 1] to the same shape."""

    def __init__(self, params: Params) -> None:
        super().__init__()
        self.cell = torch.nn.RNN(1, params.hidden, nonlinearity="relu", batch_first=True)
        self.dense = torch.nn.Linear(params.hidden, 1)
        dense_limit = (6 / (params.hidden + 1)) ** 0.5
        torch.nn.init.uniform_(self.cell.weight_ih_l0, -params.cell_limit, params.cell_limit)
        torch.nn.init.uniform_(self.cell.weight_hh_l0, -params.cell_limit, params.cell_limit)
        torch.nn.init.uniform_(self.dense.weight, -dense_limit, dense_limit)
        for bias in (self.cell.bias_ih_l0, self.cell.bias_hh_l0, self.dense.bias):
            torch.nn.init.zeros_(bias)
        # PyTorch adds two biases to every unit; the network of train.ts has one.
        self.cell.bias_hh_l0.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        states, _ = self.cell(x)
        return self.dense(states)

    def to_layers(self) -> dict[str, torch.Tensor]:
        """Copies the weights in the layout of train.ts: recurrent weights are [from, to]."""
        cell, dense = self.cell, self.dense
        layers = {
            "input": cell.weight_ih_l0,
            "recurrent": cell.weight_hh_l0.T,
            "bias": cell.bias_ih_l0,
            "dense": dense.weight,
            "denseBias": dense.bias,
        }
        return {name: weights.detach().clone() for name, weights in layers.items()}


def train(model: Forecast, params: Params, x: torch.Tensor, y: torch.Tensor) -> None:
    optimizer = torch.optim.Adam([w for w in model.parameters() if w.requires_grad], params.learning_rate, eps=1e-8)
    loss = torch.sum((model(x) - y) ** 2)
    for epoch in range(1, params.epochs + 1):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        loss = torch.sum((model(x) - y) ** 2)
        print_epoch(epoch, loss.item())


params = read_params()
output = read_output()
inputs, targets = read_windows()
torch.manual_seed(params.seed)
model = Forecast(params)
start = model.to_layers()
train(model, params, torch.from_numpy(inputs), torch.from_numpy(targets))

model.eval()
# The older of PyTorch's exporters writes ONNX's RNN operator, which runtimes have a fast kernel for.
torch.onnx.export(
    model,
    (torch.from_numpy(inputs),),
    output / "model.onnx",
    input_names=["x"],
    output_names=["y"],
    dynamic_axes={"x": {0: "n"}, "y": {0: "n"}},
    opset_version=OPSET,
    dynamo=False,
)
name_ends(output / "model.onnx")

with torch.no_grad():
    answers = model(torch.from_numpy(inputs)).numpy()
check_onnx(output / "model.onnx", inputs, answers)
write_answers(inputs, answers, start)
