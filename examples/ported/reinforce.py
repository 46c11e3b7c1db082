"""REINFORCE balances a pole on a cart: the environment is written out here, actions are drawn from the policy."""

import math
from collections import deque

from _which import STEPS, F, nn, optim, report, torch

Categorical = torch.distributions.Categorical


class CartPole:
    """A pole on a cart that is pushed left or right; Euler's method at 50 steps a second."""

    def reset(self):
        self.state = (torch.rand(4) * 0.1 - 0.05).tolist()
        return self.state

    def step(self, action):
        x, v, angle, turn = self.state
        force = 10.0 if action == 1 else -10.0
        push = (force + 0.05 * turn**2 * math.sin(angle)) / 1.1
        angular = (9.8 * math.sin(angle) - math.cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1))
        linear = push - 0.05 * angular * math.cos(angle) / 1.1
        self.state = [x + 0.02 * v, v + 0.02 * linear, angle + 0.02 * turn, turn + 0.02 * angular]
        fallen = abs(self.state[0]) > 2.4 or abs(self.state[2]) > 12 * math.pi / 180
        return self.state, 1.0, fallen


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine1 = nn.Linear(4, 64)
        self.dropout = nn.Dropout(p=0.1)
        self.affine2 = nn.Linear(64, 2)
        self.saved_log_probs, self.rewards = [], []

    def forward(self, x):
        return F.softmax(self.affine2(F.relu(self.dropout(self.affine1(x)))), dim=1)


def select_action(policy, state):
    probs = policy(torch.tensor(state).float().unsqueeze(0))
    m = Categorical(probs)
    action = m.sample()
    policy.saved_log_probs.append(m.log_prob(action))
    return action.item()


def finish_episode(policy, optimizer, gamma=0.99):
    R, returns = 0.0, deque()
    for r in policy.rewards[::-1]:
        R = r + gamma * R
        returns.appendleft(R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + 1e-6)
    policy_loss = [-log_prob * R for log_prob, R in zip(policy.saved_log_probs, returns)]
    optimizer.zero_grad()
    loss = torch.cat(policy_loss).sum()
    loss.backward()
    optimizer.step()
    del policy.rewards[:]
    del policy.saved_log_probs[:]
    return loss.item()


def main():
    torch.manual_seed(13)
    environment, policy = CartPole(), Policy()
    optimizer = optim.Adam(policy.parameters(), lr=1e-2)
    for episode in range(1, STEPS + 1):
        state = environment.reset()
        for _ in range(200):
            state, reward, done = environment.step(select_action(policy, state))
            policy.rewards.append(reward)
            if done:
                break
        length = len(policy.rewards)
        report(episode, finish_episode(policy, optimizer), length)


if __name__ == "__main__":
    main()
