# ruff: noqa: E501
"""Scripts in PyTorch's words, each of what is easily forgotten; they print what they find."""

SCRIPTS = {
    "accelerator": """
import torch
device = torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else "cpu"
print(device, torch.accelerator.device_count(), torch.cuda.is_available(), torch.cuda.device_count())
x = torch.zeros(2).to(device, non_blocking=True)
print(x, x.device, x.device.type, x.device.index, x.is_cuda, x.get_device())
""",
    "devices": """
import torch
device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
print(device, repr(device), device == torch.device("cpu"), device == "cpu", str(device) == "cpu", torch.device("cpu", 0).type)
print(torch.device("cuda", 1), torch.device("cuda:1").index, torch.device("cuda").type)
print(torch.ones(2, device=device).to(torch.device("cpu")).to("cpu", torch.float64).dtype)
print(len({torch.device("cpu"), torch.device("cpu")}), torch.get_default_device())
torch.set_default_device("cpu")
print(torch.zeros(1).device, torch.backends.mps.is_available(), torch.backends.cudnn.is_available())
with torch.device("cpu"):
    print(torch.ones(1).device)
""",
    "switches": """
import torch
torch.backends.cudnn.benchmark = True
torch.backends.cudnn.deterministic = True
torch.backends.cudnn.enabled = False
torch.backends.cuda.matmul.allow_tf32 = True
torch.backends.cudnn.allow_tf32 = True
torch.set_float32_matmul_precision("high")
torch.use_deterministic_algorithms(True)
print(torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled())
torch.use_deterministic_algorithms(False, warn_only=True)
print(torch.are_deterministic_algorithms_enabled(), torch.get_deterministic_debug_mode())
torch.set_deterministic_debug_mode("warn")
print(torch.are_deterministic_algorithms_enabled(), torch.get_deterministic_debug_mode())
torch.set_deterministic_debug_mode(0)
torch.cuda.manual_seed(3)
torch.cuda.manual_seed_all(3)
torch.cuda.empty_cache()
torch.set_num_threads(torch.get_num_threads())
torch.set_printoptions(precision=2, sci_mode=False)
print(torch.tensor([1.23456, 2.0]))
torch.set_printoptions(profile="default")
print(torch.get_float32_matmul_precision(), torch.get_num_threads() >= 1, torch.get_num_interop_threads() >= 1)
torch.set_float32_matmul_precision("highest")
print(torch.backends.mkldnn.is_available() in (True, False), torch.backends.mkl.is_available() in (True, False))
print(torch.backends.openmp.is_available() in (True, False), torch.xpu.is_available(), torch.mps.device_count() in (0, 1))
""",
    "idle arguments": """
import torch
import torch.nn as nn
import torch.nn.functional as F
x = torch.linspace(-1, 1, 6, requires_grad=True)
y = nn.ReLU(inplace=False)(x)
print(F.mse_loss(y, torch.zeros(6), size_average=True).item(), nn.MSELoss(size_average=False)(y, torch.zeros(6)).item())
print(torch.autograd.grad(y.sum(), x, only_inputs=True, retain_graph=True)[0])
opt = torch.optim.SGD([x], lr=0.1)
opt.zero_grad(set_to_none=True)
print(x.grad)
(y ** 2).sum().backward()
opt.zero_grad(set_to_none=False)
print(x.grad)
loader = torch.utils.data.DataLoader([1, 2, 3], batch_size=2, pin_memory=False, num_workers=0, drop_last=False)
print([b.tolist() for b in loader])
h = F.dropout(nn.LeakyReLU(0.2, inplace=True)(y * 1), p=0.0, training=True, inplace=True)
print(h.tolist())
print(F.upsample(torch.ones(1, 1, 2, 2), scale_factor=2).shape)
""",
    "import paths": """
import torch.nn
from torch.nn.modules.module import Module
from torch.nn.modules.linear import Linear
from torch.nn.modules.container import Sequential, ModuleList
from torch.nn.modules.loss import CrossEntropyLoss
from torch.nn.modules.utils import _pair, _single, _triple
from torch.nn.modules.conv import Conv2d
from torch.nn.modules.batchnorm import BatchNorm2d
from torch.nn.modules.activation import ReLU
from torch.nn.modules.dropout import Dropout
from torch.nn.modules.rnn import LSTM
from torch.nn.modules.transformer import TransformerEncoderLayer
from torch.nn.parameter import Parameter
from torch.nn.functional import relu
from torch.nn.init import xavier_uniform_
from torch.nn.utils import clip_grad_norm_, parameters_to_vector, vector_to_parameters
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence, pack_sequence, PackedSequence
from torch.nn.utils.weight_norm import weight_norm
from torch.nn.parallel import DataParallel
from torch.optim import Adam, SGD
from torch.optim.optimizer import Optimizer
from torch.optim.lr_scheduler import StepLR, LambdaLR, ReduceLROnPlateau
from torch.optim.adam import Adam as Adam2
from torch.optim.sgd import SGD as SGD2
from torch.utils.data import DataLoader, Dataset, TensorDataset
from torch.utils.data.dataloader import DataLoader as DataLoader2, default_collate
from torch.utils.data.dataset import Dataset as Dataset2, random_split
from torch.utils.data.sampler import SubsetRandomSampler
from torch.utils.checkpoint import checkpoint
from torch.autograd import Variable, Function, grad
from torch.autograd.function import once_differentiable
from torch.autograd.gradcheck import gradcheck
from torch.distributions import Normal, Categorical
from torch.distributions.normal import Normal as Normal2
from torch.distributions.categorical import Categorical as Categorical2
from torch.distributions.transformed_distribution import TransformedDistribution
from torch.distributions.multivariate_normal import MultivariateNormal
from torch.distributions import constraints, transforms
from torch.distributions.kl import kl_divergence
from torch.cuda.amp import GradScaler, autocast
from torch.backends import cudnn
import torch.backends.cudnn as cudnn2
import torch.utils.data as Data
import torch.utils.data
import torch.optim as optim
import torch.nn.init as init
import torch.nn.utils as utils
import torch.linalg
import torch.fft
from torch import Tensor, nn, optim, autograd, cuda, device
from torch.nn import functional as F, Module as M
from torch import LongTensor, FloatTensor, FloatTensor as FT
print(Parameter is nn.Parameter, Module is nn.Module is M, Adam is Adam2, SGD is SGD2, DataLoader is DataLoader2)
print(Normal is Normal2, Categorical is Categorical2, cudnn is cudnn2, _pair(3), Dataset is Dataset2, SGD.__name__)
""",
    "user modules": """
import torch
import torch.nn as nn
import torch.nn.functional as F
torch.manual_seed(0)
class Net(nn.Module):
    def __init__(self):
        super(Net, self).__init__()
        for i in range(3):
            setattr(self, f"fc{i}", nn.Linear(4, 4))
            setattr(self, "bn%d" % i, nn.BatchNorm1d(4))
        self.out = nn.Linear(4, 2)
        self.register_buffer("steps", torch.zeros(1, dtype=torch.long))
        self.hooked = 0
    def train(self, mode=True):
        super().train(mode)
        for m in self.modules():
            if isinstance(m, nn.BatchNorm1d):
                m.eval()
        return self
    def forward(self, x):
        for i in range(3):
            x = F.relu(getattr(self, f"bn{i}")(getattr(self, f"fc{i}")(x)))
        return self.out(x)
    def backward(self, loss):
        loss.backward()
        return loss.item()
    @property
    def count(self):
        return sum(p.numel() for p in self.parameters() if p.requires_grad)
def init(m):
    classname = m.__class__.__name__
    if classname.find("Linear") != -1:
        m.weight.data.normal_(0.0, 0.02)
        m.bias.data.fill_(0)
    elif type(m) == nn.BatchNorm1d:
        nn.init.constant_(m.weight, 0.9)
        m.bias.data.zero_()
net = Net().apply(init)
net.train()
print(net.count, net.bn0.training, net.fc0.training, list(net._modules), net.__class__.__name__)
x = torch.randn(5, 4)
print(net.backward(net(x).pow(2).mean()))
for name, p in net.named_parameters():
    print(name, tuple(p.shape), round(p.grad.abs().sum().item(), 7))
print(net)
print([k for k, v in net.state_dict().items()])
""",
    "custom loss": """
import torch
from torch import nn
from torch.autograd import Variable
class Dice(nn.Module):
    def __init__(self, weight=None, size_average=True):
        super().__init__()
    def forward(self, a, b, smooth=1):
        a, b = a.view(-1), b.view(-1)
        return 1 - (2.0 * (a * b).sum() + smooth) / (a.sum() + b.sum() + smooth)
x = Variable(torch.Tensor([[0.1, 0.9], [0.4, 0.6]]), requires_grad=True)
t = Variable(torch.FloatTensor([[0, 1], [1, 0]]), volatile=False) if False else Variable(torch.FloatTensor([[0, 1], [1, 0]]))
loss = Dice()(x, t)
loss.backward()
print(loss.data, loss.data.item(), x.grad.data, x.data.numpy(), type(x.data).__name__)
""",
    "hand-written updates": """
import torch
import numpy as np
torch.manual_seed(1)
w = torch.randn(3, 2, requires_grad=True)
b = torch.zeros(2, requires_grad=True)
lr = 0.1
for _ in range(3):
    loss = ((torch.ones(4, 3) @ w + b) ** 2).mean()
    loss.backward()
    w.data.add_(w.grad.data, alpha=-lr)
    b.data += -lr * b.grad.data
    w.data[0, :] = 0.5
    w.data[1] *= 0.9
    w.grad.zero_()
    b.grad.data.zero_()
print(w, b, loss.item())
with torch.no_grad():
    for p in (w, b):
        p -= lr * torch.ones_like(p)
        p.sub_(0.1).clamp_(-0.2, 0.2)
        p.copy_(p * 2)
    w[w > 0.1] = 0.0
    w.fill_(w.max())
print(w, b, w.is_leaf)
w.data = torch.ones(3, 2)
w.grad = None
print(w, w.grad)
v = torch.zeros(3).index_add_(0, torch.tensor([0, 2]), torch.tensor([1.0, 2.0]))
v.mul_(0.9).add_(torch.ones(3), alpha=0.1).addcmul_(v, v, value=0.5).addcdiv_(torch.ones(3), v + 1, value=-1)
print(v)
""",
    "numpy habits": """
import torch
import numpy as np
from collections import deque
x = torch.arange(6.0).reshape(2, 3)
print(x.sum(axis=0), x.mean(axis=1, keepdims=True), x.max(axis=1).values, torch.cat([x, x], axis=1).shape)
print(np.sqrt(2.0) * x, np.float32(2) * x, np.float64(0.5) * x, (x * np.pi).dtype, np.float32(3) + torch.ones(2))
print(x.clip(1, 3), torch.clip(x, min=2), np.clip(x.numpy(), 0, 2), np.mean(x.numpy()), np.array(x).dtype)
print(torch.tensor([np.float32(1), np.float64(2)]).dtype, torch.tensor(np.array([1, 2])).dtype, torch.tensor([np.array([1.0, 2.0])]))
print(torch.tensor(deque([1.0, 2.0])), torch.FloatTensor([[1, 2], [3, 4]]), torch.tensor([x[0, 0], x[0, 1]]))
print(x[range(1)], x[[0, 1], [2, 0]], x[:, [0, 2]], x[np.array([1, 0])], x[None].shape, x[..., -1], x[1, ::2], x[True].shape)
print(x.ndim, x.size(), x.size(0), x.shape[-1], len(x), x.nelement(), x.T.shape, x.astype if hasattr(x, "astype") else "none")
print(torch.from_numpy(np.random.RandomState(0).randn(2).astype(np.float32)), torch.as_tensor(np.ones(2)), torch.Tensor(np.ones((1, 2))))
print(np.asarray(x[0]), x.numpy().tolist(), x.tolist(), np.stack([x[0], x[1]]).shape, np.concatenate([x, x]).shape, float(np.sum(x[0].numpy())))
for row in x:
    print(row.tolist())
a, b = x
print(a, b, x.any(), x.all(), max(x[0]), min(x[1]), sum(x[0]), abs(-x[0]), round(x[0, 1].item(), 2), 2 in x, divmod(7, 2))
print(torch.tensor(range(3)), torch.LongTensor(range(3)), torch.tensor((1, 2)), torch.tensor([True, False]), torch.linspace(0, 1, 3).numpy())
""",
    "tensors as numbers": """
import torch
t = torch.tensor(3)
f = torch.tensor(2.5)
names = ["a", "b", "c", "d"]
print("%d" % t, "%.3f" % f, "%s" % t, "{:.2f}".format(f), f"{f:.3f}", f"{t:3d}", "{}".format(t), f"{f}", f"{t.item():>4}")
print(names[t], "abcdef"[t], list(range(10))[t:5], (1, 2, 3, 4)[t], int(f), float(t), bool(t), complex(f), [0] * t, range(t))
print(torch.arange(10)[t], torch.zeros(t, 2).shape, torch.ones(4)[: t - 1], {t.item(): 1}, t == 3, 3 == t, t in [3], hash(t) == hash(t))
print("epoch %d, loss %.4f" % (1, f), "acc: %.2f%%" % (100.0 * t / 7), "{:d}".format(t), "%5.1f|%s" % (f, torch.tensor([1.0])))
print(round(float(f), 1), max(t, torch.tensor(4)), sorted([torch.tensor(2.0), torch.tensor(1.0)]), t + 1, 1 - t, 2 ** t, t // 2, t % 2, -t)
import math
print(math.sqrt(torch.tensor(4.0)), math.floor(f), math.exp(torch.tensor(0.0)), isinstance(t, torch.Tensor), torch.is_tensor(t), torch.is_tensor(3))
correct = 0
correct += (torch.tensor([1, 2]) == torch.tensor([1, 3])).sum()
print(correct, correct / 2, 100.0 * correct / 2, torch.tensor(5) / torch.tensor(2), correct.double() / 3)
""",
    "compile": """
import torch
import torch.nn as nn
torch.manual_seed(0)
@torch.compile
def f(x):
    return x.sin() + 1
@torch.compile(fullgraph=True, dynamic=False, mode="reduce-overhead")
def g(x, k=2):
    return x.cos() * k
net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
fast = torch.compile(net, backend="eager", options=None, disable=False)
x = torch.ones(1, 2)
print(f(x), g(x, k=3), f.__name__, torch.equal(fast(x), net(x)), len(list(fast.parameters())))
fast.train()
fast(x).sum().backward()
print(net[0].weight.grad, torch.compiler.is_compiling())
net.compile()
print(net(x))
torch.compiler.reset()
@torch.compiler.disable
def h(x):
    return x + 1
print(h(x))
""",
    "types and sizes": """
import torch
print(torch.finfo(torch.float32).eps, torch.finfo(torch.float16).max, torch.finfo(torch.bfloat16).tiny, torch.iinfo(torch.int8).max)
s = torch.Size([2, 3])
print(s, s.numel(), s[0], tuple(s), s + (4,), s == (2, 3), torch.zeros(s).shape == s, list(s), torch.zeros(2, *s).shape[1:])
print(torch.float, torch.long, torch.double, torch.int, torch.half, torch.bool, torch.uint8, torch.complex64, torch.float32.is_floating_point)
x = torch.zeros(2)
print(x.type(), x.type(torch.LongTensor).dtype, x.type("torch.DoubleTensor").dtype, x.long().dtype, x.type(torch.int).dtype, x.type_as(torch.ones(1).int()).dtype)
print(x.dtype == torch.float32, x.dtype is torch.float, x.is_floating_point(), torch.get_default_dtype(), torch.tensor(1.0).double().dtype, isinstance(x, torch.FloatTensor))
torch.set_default_dtype(torch.float64)
print(torch.zeros(1).dtype)
torch.set_default_dtype(torch.float32)
print(torch.pi, torch.inf, torch.nan, torch.e, torch.typename(x), isinstance(torch.__version__, str), torch.version.cuda is None or torch.version.cuda)
print(torch.strided, torch.preserve_format, torch.contiguous_format, x.layout, x.is_contiguous(), x.storage().size() if hasattr(x, "storage") else 2)
""",
    "mixed precision off": """
import warnings
warnings.simplefilter("ignore")
import torch
from torch.cuda.amp import GradScaler, autocast
scaler = GradScaler(enabled=False)
w = torch.ones(2, requires_grad=True)
opt = torch.optim.SGD([w], lr=0.1)
for _ in range(2):
    opt.zero_grad()
    with torch.autocast(device_type="cpu", enabled=False):
        loss = (w ** 2).sum()
    scaler.scale(loss).backward()
    scaler.unscale_(opt)
    torch.nn.utils.clip_grad_norm_([w], 1.0)
    scaler.step(opt)
    scaler.update()
print(w, scaler.get_scale(), scaler.is_enabled())
""",
    "functions with a backward": """
import torch
class Swish(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)
    @staticmethod
    def backward(ctx, grad_output):
        x, = ctx.saved_variables if hasattr(ctx, "saved_variables") else ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad_output * (s + x * s * (1 - s))
x = torch.linspace(-2, 2, 5).double().requires_grad_()
y = Swish.apply(x)
y.backward(torch.ones_like(x))
print(x.grad, torch.autograd.gradcheck(Swish.apply, (x,)))
x.register_hook(lambda g: g * 2)
(x * 3).sum().backward()
print(x.grad, y.grad_fn is not None, x.retain_grad(), y.requires_grad)
""",
    "probabilities of actions": """
import torch
from torch.distributions import Categorical, Normal, Bernoulli
torch.manual_seed(4)
logits = torch.randn(3, 4, requires_grad=True)
dist = Categorical(logits=logits)
action = dist.sample()
loss = -(dist.log_prob(action) * torch.tensor([1.0, -0.5, 2.0])).sum() - 0.01 * dist.entropy().mean()
loss.backward()
print(action, loss.item(), logits.grad)
mu, log_std = torch.zeros(2, requires_grad=True), torch.zeros(2, requires_grad=True)
pi = Normal(mu, log_std.exp())
a = pi.rsample()
(pi.log_prob(a).sum(-1) + torch.tanh(a).sum()).backward()
print(a, mu.grad, log_std.grad, Bernoulli(torch.tensor(0.3)).sample((4,)), pi, pi.entropy(), torch.distributions.kl_divergence(pi, Normal(1.0, 2.0)))
""",
    "old names": """
import torch
import torch.nn.functional as F
from torch.autograd import Variable
import warnings
warnings.simplefilter("ignore")
x = Variable(torch.Tensor(2, 3).zero_().uniform_(0, 0) + 1)
print(torch.mm(x, x.t()), F.sigmoid(x), F.tanh(x), torch.ger(x[0], x[1]), x.data.new(2, 2).zero_(), x.new_zeros(2), torch.clamp(x, 0, 0.5))
print(torch.nn.utils.clip_grad_norm if hasattr(torch.nn.utils, "clip_grad_norm") and False else "-", x.cpu().data.numpy(), torch.squeeze(x[:1]), torch.gt(x, 0.5))
print(x.index_select(0, torch.LongTensor([1])), x.masked_select(x > 0), x.expand_as(torch.ones(4, 2, 3)).shape, torch.eq(x, 1).all(), x.max(1)[1], x.max(1, keepdim=True)[0])
_, predicted = torch.max(x.data, 1)
print(predicted, (predicted == 0).sum().item(), x.narrow(1, 0, 2).shape, x.view(-1, 1).shape, x.contiguous().view(3, 2).shape, x.sort(1, descending=True)[0], x.cuda if torch.cuda.is_available() else 0)
x[0][1] = 5
x[1, :2] += 2
print(x, torch.nonzero(x > 2), x.apply_(lambda v: v + 1), x.map_ is not None, torch.triu(x), F.softmax(x, 1), F.log_softmax(x, dim=-1).sum())
""",
}
