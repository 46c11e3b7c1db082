"""Tensors among Python's and NumPy's own, and every way to make them: each expression gives what PyTorch gives.

``t`` is a float tensor, ``ti`` one of integers, ``tb`` of bools, ``tm`` a matrix, ``tg`` one that requires grad;
``arr``, ``arr32`` and ``arri`` are NumPy arrays; ``lib`` is the library. Values, types and errors are compared.
"""

import copy
import math
import operator
import pickle
import warnings

import numpy as np
import pytest

import tapegrad

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

NUMPY = r"""
np.float64(2.0)*t
t*np.float64(2.0)
np.float32(2.0)*t
t*np.int64(2)
np.int64(2)*t
np.float64(2.0)*ti
ti*np.float64(2.0)
np.int64(2)*ti
np.int8(2)*ti
np.bool_(True)*t
t+arr
t*arr
arr@tm
tm@arr
t-arr
t/arr
t**arr
arr==t
t==arr
t+arr32
np.sqrt(t)
np.add(t,arr)
np.add(arr,t)
np.exp(t)
np.sqrt(tg)
np.add(tg,arr)
np.float64(2.0)*tg
np.float64(2.0)+tg
np.float64(2.0)-t
np.float64(2.0)/t
np.float64(2.0)**t
np.float64(2.0)//t
np.float64(2.0)%t
np.float64(2.0)<t
t<np.float64(2.0)
np.float64(2.0)==t
t==np.float64(2.0)
np.maximum(t,1.5)
np.sum(t)
np.mean(t)
np.max(t)
np.abs(t)
np.isnan(t)
np.stack([t,t])
np.concatenate([t,t])
np.array([t,t])
np.array(t)
np.asarray(t)
np.array(t,dtype=np.int32)
np.asarray(ti)
np.dot(arr,t)
np.where(t>1,t,0)
np.array(tg)
np.asarray(tb)
t.__array__(np.float64)
ti.numpy()
tg.numpy()
tg.detach().numpy()
tg.numpy(force=True)
np.float32(3)>t
np.from_dlpack(t)
np.from_dlpack(tg)
"""

PYTHON = r"""
t==None
t!=None
t=="a"
t==[1.,2.,3.]
t==(1.,2.,3.)
t+[1.,2.,3.]
t+None
t*"a"
t<"a"
t<None
1.0 in t
5.0 in t
"a" in t
None in t
t in [t]
hash(t)==id(t) or hash(t)==hash(t)
len(t)
len(lib.tensor(1.))
list(t)
float(t)
float(t[0])
int(t[1])
complex(t[0])
bool(t[0])
bool(t)
bool(lib.tensor([]))
int(tb.long()[0])
[10,20,30][ti[0]]
[10,20,30][t[0]]
"{:.2f}".format(t[0])
"{:d}".format(ti[0])
f"{t}"
f"{t[0]}"
f"{t:.2f}"
f"{lib.tensor([1.5])}"
str(t)
range(ti[0])
1<t[1]<3
t.tolist()
t.item()
t[0].item()
tb.tolist()
type(lib.tensor([1]).item())
complex(lib.tensor(1+2j))
float(lib.tensor(1+2j))
int(lib.tensor(1.7))
reversed(t)
t.__contains__(1)
divmod(t,2)
round(t)
abs(t)
-t
+t
~tb
~t
tb+tb
tb-tb
ti/2
ti//2
-tb
operator.index(lib.tensor(3))
math.sqrt(t[0])
math.floor(t[0])
math.ceil(lib.tensor(1.5))
math.trunc(lib.tensor(1.5))
sum(t)
max(t)
sorted(t)
all(t)
any(t)
t[0] if t[0]>0 else 1
dict.fromkeys(t) is not None
copy.copy(t)
copy.deepcopy(t)
copy.deepcopy(tg).requires_grad
copy.deepcopy(tg*1)
copy.copy(tg).requires_grad
pickle.loads(pickle.dumps(t))
pickle.loads(pickle.dumps(tg)).requires_grad
pickle.loads(pickle.dumps(tg*1)) is not None
pickle.loads(pickle.dumps(lib.float32)) is lib.float32
pickle.loads(pickle.dumps(lib.device("cpu")))==lib.device("cpu")
ti&1
1&ti
1|ti
1^ti
tm@tm
t@t
2@t
ti**2
2**ti
2.0**ti
ti**-1
ti**0.5
t.data_ptr()==t.detach().data_ptr()
t[1:].storage_offset()
tm.T
tm.mT
t.__len__()
repr(lib.Size([2,3])).replace("tapegrad","torch")
type(lib.Size([2,3])[0:1]).__name__
(1,)+lib.Size([2])
"""

CONSTRUCTION = r"""
lib.tensor(2.0) in t
lib.tensor([1.5,2],dtype=lib.bfloat16).tolist()
lib.tensor(1.5,dtype=lib.bfloat16).item()
lib.tensor(1.5,dtype=lib.float16).item()
lib.tensor(1+2j).item()
lib.tensor([True]).item()
lib.tensor([1.0]).__index__()
lib.tensor([1]).__index__()
lib.tensor(True).__index__()
lib.tensor(2)**-1
lib.as_tensor(arr)
lib.tensor(arr32)
lib.tensor(np.float64(2.0))
lib.tensor([np.float64(2.0)])
lib.tensor([t[0],t[1]])
lib.tensor([[1,2],[3]])
lib.tensor("a")
lib.tensor(None)
lib.tensor([1,2.5])
lib.tensor([True,2])
lib.tensor([1,2j])
lib.tensor([])
lib.tensor([[],[]])
lib.tensor(range(3))
lib.tensor((1,2))
lib.tensor({1,2})
lib.tensor(arr>1)
lib.tensor(np.array(["a"]))
lib.tensor([2**40])
lib.tensor(2**63)
lib.tensor([300],dtype=lib.uint8)
lib.tensor([-1],dtype=lib.uint8)
lib.tensor([1.9,-1.9],dtype=lib.int32)
lib.tensor([float("nan")])
lib.empty_like(t,dtype=lib.int64).dtype
lib.zeros_like(t,memory_format=lib.preserve_format)
lib.ones_like(ti,dtype=float)
lib.full_like(ti,7)
lib.full((2,),1)
lib.full((2,),1.5)
lib.full((2,),True)
lib.full((2,),1,dtype=lib.float32)
lib.zeros(2,3,dtype=int)
lib.zeros((2,3))
lib.zeros([2,3]).shape
lib.zeros(())
lib.zeros(size=(2,)).shape
lib.ones(2,out=lib.empty(2))
lib.zeros(2,layout=lib.strided)
lib.zeros(2,pin_memory=False)
lib.arange(5)
lib.arange(1,5)
lib.arange(1.,5)
lib.arange(0,1,0.25)
lib.arange(5,dtype=lib.float64)
lib.arange(start=1,end=4,step=2)
lib.arange(5,0,-2)
lib.arange(end=3)
lib.arange(0,5,-1)
lib.range(1,4)
lib.linspace(0,1,5)
lib.linspace(0,10,3,dtype=lib.int64)
lib.linspace(0,1,steps=1)
lib.logspace(0,2,3)
lib.eye(3)
lib.eye(2,3)
lib.eye(2,m=3,dtype=lib.int64)
lib.scalar_tensor(2.0)
lib.scalar_tensor(2)
lib.asarray(arr)
lib.asarray([1,2])
lib.asarray(t) is t
lib.asarray(t,copy=True) is t
lib.asarray(t,dtype=lib.float64)
lib.asarray(2.0)
lib.as_tensor(t) is t
lib.as_tensor([1.,2.])
lib.as_tensor(t,dtype=lib.float64)
lib.from_numpy(arr).dtype
lib.from_numpy([1])
lib.from_numpy(arr>1)
lib.from_numpy(np.float64(1))
lib.frombuffer(bytearray([1,0,2,0]),dtype=lib.int16)
lib.frombuffer(bytearray([1,0,2,0]),dtype=lib.uint8,offset=1,count=2)
lib.empty(2,3).shape
lib.empty_strided((2,3),(1,2)).stride()
t.new_tensor([1,2])
t.new_tensor(ti)
ti.new_tensor([1.5])
t.new_zeros(2)
t.new_zeros((2,),dtype=lib.int32)
t.new_full((2,),7)
ti.new_full((2,),7)
t.new_empty(3).shape
t.new_ones(2,2)
lib.tensor(t) is not t
lib.rand(2,dtype=lib.float64).dtype
lib.randint(3,(2,)).dtype
lib.randint(1,3,size=(2,)).shape
lib.randn(2,out=lib.empty(2)).shape
lib.zeros(2,requires_grad=True).requires_grad
lib.zeros(2,dtype=lib.int64,requires_grad=True)
lib.tensor([1,2],requires_grad=True)
lib.zeros(-1)
lib.full((2,),2.5,dtype=lib.int64)
lib.tril_indices(3,3)
lib.triu_indices(3,3)
lib.empty(2,3,memory_format=lib.contiguous_format).shape
lib.from_dlpack(t)
lib.from_dlpack(arr)
lib.utils.dlpack.from_dlpack(lib.utils.dlpack.to_dlpack(t))
lib.from_numpy(arr[::-1])
lib.tensor(arr[::-1])
lib.as_tensor(arr[::-1])
lib.asarray(arr[::-1])
"""

LEGACY = r"""
t.type()
ti.type()
lib.nn.Parameter(t).type()
t.type("torch.DoubleTensor")
t.type(lib.DoubleTensor)
t.type(lib.int32)
lib.Tensor(2,3).shape
lib.Tensor([1,2])
lib.Tensor([[1,2],[3,4]]).dtype
lib.Tensor().shape
lib.Tensor(lib.Size([2,3])).shape
lib.Tensor((2,3))
lib.Tensor(t) is t
lib.Tensor(3).shape
lib.Tensor(ti)
lib.Tensor(arr)
lib.Tensor(2.5)
lib.FloatTensor([1,2])
lib.LongTensor([1,2])
lib.LongTensor([1.7,2])
lib.FloatTensor(2,3).shape
lib.ByteTensor([1,2]).dtype
lib.BoolTensor([1,0])
lib.IntTensor(3).dtype
lib.HalfTensor([1.5]).dtype
lib.DoubleTensor([1]).dtype
lib.ShortTensor([1]).dtype
lib.CharTensor([1]).dtype
isinstance(t,lib.FloatTensor)
isinstance(ti,lib.FloatTensor)
isinstance(ti,lib.LongTensor)
isinstance(lib.FloatTensor([1]),lib.Tensor)
type(lib.FloatTensor([1])) is lib.Tensor
lib.autograd.Variable(t,requires_grad=True).requires_grad
isinstance(t,lib.autograd.Variable)
type(lib.autograd.Variable(t)) is lib.Tensor
t.new([1,2])
ti.new(3).dtype
t.type_as(ti).dtype
"""

TYPES = r"""
lib.is_tensor(t)
lib.is_tensor(arr)
lib.is_floating_point(ti)
lib.numel(tm)
lib.can_cast(lib.float32,lib.int32)
lib.promote_types(lib.uint8,lib.int8)
lib.result_type(t,1.0)
lib.result_type(ti,1.5)
lib.finfo(lib.float32).eps
lib.finfo(lib.bfloat16).max
lib.iinfo(lib.int8).min
lib.finfo().bits
t.is_signed()
lib.uint8.is_signed
lib.float32.itemsize
lib.get_default_dtype()
t.itemsize
t.nbytes
t.element_size()
lib.is_nonzero(t[0])
t.is_nonzero()
t.storage_offset()
t.is_leaf
t.layout==lib.strided
t.is_sparse
t.requires_grad
t.retains_grad
t.ndimension()
t.nelement()
t.is_contiguous()
t.is_pinned()
t.is_shared()
t.get_device()
t.is_inference()
t.char().dtype
t.cfloat().dtype
t.cdouble().dtype
t.to(lib.float64,copy=True).dtype
t.to("cpu") is t
t.to(dtype=lib.float16).dtype
t.to(ti).dtype
t.to("cpu",lib.float64).dtype
t.float() is t
t.is_same_size(t)
t.is_set_to(t)
lib.is_complex(t)
lib.Size([2,3]).numel()
lib.Size([2,3])+(1,)
lib.Size([2,3])*2
lib.float32==lib.float
lib.float
lib.double
lib.cfloat
lib.inf
lib.pi
lib.nan
lib.newaxis
lib.e
"""

EXPRESSIONS = [line for group in (NUMPY, PYTHON, CONSTRUCTION, LEGACY, TYPES) for line in group.strip().splitlines()]
MODULES = {"copy": copy, "math": math, "np": np, "operator": operator, "pickle": pickle}


def plain(value):
    """A result without the library that made it."""
    if hasattr(value, "detach"):
        return "tensor", str(value.dtype).rpartition(".")[2], value.detach().tolist(), value.requires_grad
    if isinstance(value, (np.ndarray, np.generic)):
        return type(value).__name__, value.dtype.name, value.tolist()
    if isinstance(value, (list, tuple)):
        return type(value).__name__, [plain(v) for v in value]
    if isinstance(value, (bool, int, float, complex, type(None))):
        return value
    if isinstance(value, str) or type(value).__name__ in ("dtype", "device"):
        return str(value).replace("tapegrad.", "torch.")
    return type(value).__name__


def outcome(expression, lib):
    names = {
        "lib": lib, "t": lib.tensor([1.0, 2.0, 3.0]), "ti": lib.tensor([1, 2, 3]),
        "tb": lib.tensor([True, False, True]), "tm": lib.tensor([[1.0, 2, 0], [0, 1, 1], [1, 0, 1]]),
        "tg": lib.tensor([1.0, 2.0, 3.0], requires_grad=True), "arr": np.array([1.0, 2.0, 3.0]),
        "arr32": np.array([1.0, 2.0, 3.0], np.float32), "arri": np.array([1, 2, 3]), **MODULES,
    }  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return plain(eval(expression, names))
        except (RuntimeError, TypeError, ValueError, IndexError, BufferError, OverflowError) as error:
            return "RuntimeError" if isinstance(error, RuntimeError) else type(error).__name__


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expression(expression):
    ours, theirs = outcome(expression, tapegrad), outcome(expression, torch)
    assert repr(ours) == repr(theirs)


def test_tensors_travel_both_ways():
    theirs = torch.arange(6.0).reshape(2, 3)
    ours = tapegrad.from_dlpack(theirs)
    ours[0, 0] = 9
    assert theirs[0, 0] == 9
    back = torch.from_dlpack(tapegrad.from_dlpack(theirs.t()))
    back[1, 1] = 7
    assert ours[1, 1] == 7
    for dtype in ("bool", "uint8", "int64", "float16", "float32", "complex64"):
        values = torch.tensor([1, 0, 1]).to(getattr(torch, dtype))
        assert str(tapegrad.from_dlpack(values).dtype) == f"tapegrad.{dtype}"
        assert torch.from_dlpack(tapegrad.from_dlpack(values)).tolist() == values.tolist()
    capsule = torch.utils.dlpack.to_dlpack(theirs)
    taken = tapegrad.utils.dlpack.from_dlpack(capsule)
    taken[0, 1] = 5
    assert theirs[0, 1] == 5
    assert torch.utils.dlpack.from_dlpack(tapegrad.to_dlpack(ours)).tolist() == ours.tolist()
