"""A neural ODE follows a spiral: Runge-Kutta steps, and the adjoint method as an autograd Function."""

from itertools import pairwise

from _which import STEPS, nn, optim, report, torch

TIMES = torch.linspace(0.0, 2.0, 21)


class ODEFunc(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 2))
        for m in self.net.modules():
            if isinstance(m, nn.Linear):
                nn.init.normal_(m.weight, mean=0, std=0.1)
                nn.init.constant_(m.bias, val=0)

    def forward(self, t, y):
        return self.net(y**3)


def rk4(func, t, dt, y):
    k1 = func(t, y)
    k2 = func(t + dt / 2, y + dt / 2 * k1)
    k3 = func(t + dt / 2, y + dt / 2 * k2)
    k4 = func(t + dt, y + dt * k3)
    return y + dt / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


class RK4Step(torch.autograd.Function):
    """One step that keeps only its start and computes itself again on the way back."""

    @staticmethod
    def forward(ctx, func, t, dt, y, *params):
        ctx.func, ctx.t, ctx.dt = func, t, dt
        ctx.save_for_backward(y, *params)
        return rk4(func, t, dt, y)

    @staticmethod
    def backward(ctx, grad):
        y, *params = ctx.saved_tensors
        with torch.enable_grad():
            y = y.detach().requires_grad_(True)
            out = rk4(ctx.func, ctx.t, ctx.dt, y)
        grads = torch.autograd.grad(out, [y, *params], grad_outputs=grad)
        return None, None, None, *grads


def odeint(func, y0, times, economical):
    ys = [y0]
    for t0, t1 in pairwise(times):
        if economical:
            ys.append(RK4Step.apply(func, t0, t1 - t0, ys[-1], *func.parameters()))
        else:
            ys.append(rk4(func, t0, t1 - t0, ys[-1]))
    return torch.stack(ys)


def main():
    torch.manual_seed(16)
    true_a = torch.tensor([[-0.1, 2.0], [-2.0, -0.1]])
    starts = torch.empty(16, 1, 2).uniform_(-2, 2)
    with torch.no_grad():
        true_y = odeint(lambda t, y: torch.mm(y.view(-1, 2) ** 3, true_a).view_as(y), starts, TIMES, False)
    func = ODEFunc()
    optimizer = optim.RMSprop(func.parameters(), lr=2e-3)

    for step in range(1, STEPS + 1):
        index = torch.randperm(16)[:8]
        optimizer.zero_grad()
        predicted = odeint(func, starts[index], TIMES[:11], economical=step % 2 == 0)
        loss = torch.mean(torch.abs(predicted - true_y[:11, index]))
        loss.backward()
        optimizer.step()
        report(step, loss.item())


if __name__ == "__main__":
    main()
