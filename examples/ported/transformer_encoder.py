"""A transformer encoder names the largest odd number of a sequence: padding masks, a rate that warms up."""

import math

from _which import STEPS, nn, optim, report, torch

PAD, VALUES, LENGTH, BATCH = 0, 20, 12, 32


class PositionalEncoding(nn.Module):
    def __init__(self, d_model, max_len=64):
        super().__init__()
        pe = torch.zeros(max_len, d_model)
        position = torch.arange(0, max_len, dtype=torch.float).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2).float() * (-math.log(10000.0) / d_model))
        pe[:, 0::2] = torch.sin(position * div_term)
        pe[:, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe.unsqueeze(0))

    def forward(self, x):
        return x + self.pe[:, : x.size(1)]


class Model(nn.Module):
    def __init__(self, d_model=32):
        super().__init__()
        self.scale = math.sqrt(d_model)
        self.embed = nn.Embedding(VALUES + 1, d_model, padding_idx=PAD)
        self.position = PositionalEncoding(d_model)
        layer = nn.TransformerEncoderLayer(d_model, nhead=4, dim_feedforward=64, dropout=0.1, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
        self.head = nn.Linear(d_model, VALUES + 1)
        for p in self.encoder.parameters():
            if p.dim() > 1:
                nn.init.xavier_uniform_(p)

    def forward(self, numbers):
        padding = numbers == PAD
        x = self.position(self.embed(numbers) * self.scale)
        x = self.encoder(x, src_key_padding_mask=padding)
        return self.head(x.masked_fill(padding.unsqueeze(-1), -1e9).max(dim=1).values)


def batch():
    """Numbers (batch, length), zero where a sequence has ended, and the largest odd one (or zero)."""
    numbers = torch.randint(1, VALUES + 1, (BATCH, LENGTH))
    lengths = torch.randint(5, LENGTH + 1, (BATCH, 1))
    numbers[torch.arange(LENGTH) >= lengths] = PAD
    odd = torch.where(numbers % 2 == 1, numbers, torch.zeros_like(numbers))
    return numbers, odd.amax(dim=1)


def main():
    torch.manual_seed(11)
    model = Model()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.98))
    scheduler = optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / 20, (20 / (step + 1)) ** 0.5))

    model.train()
    for step in range(1, STEPS + 1):
        numbers, target = batch()
        optimizer.zero_grad()
        loss = criterion(model(numbers), target)
        loss.backward()
        optimizer.step()
        scheduler.step()
        report(step, loss.item())

    model.eval()
    with torch.no_grad():
        numbers, target = batch()
        print(f"right: {(model(numbers).argmax(-1) == target).sum()} of {BATCH}")


if __name__ == "__main__":
    main()
