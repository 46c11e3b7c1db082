"""What PyTorch refuses, stores, converts or prints where other choices were possible, program by program."""

import copy
import warnings

import numpy as np
import pytest

import tapegrad

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.parity

# One program a line; what it leaves in `x` is compared. `T` is the library's `tensor`, `L` the library.
PROGRAMS = """
x=T([1,2]); x[0]=nan
x=T([1,2]); x[0]=1j
x=T([1,2]); x[0]=inf
x=T([1,2]); x[0]=1.7
x=T([1,2],dtype=L.uint8); x[0]=300
x=T([1,2],dtype=L.uint8); x[0]=-1
x=T([1,2],dtype=L.uint8); x[0]=-300
x=T([1,2],dtype=L.int8); x[0]=200
x=T([1.,2]); x[0]=1j
x=T([1.,2]); x[0]=1+0j
x=T([1.,2]); x[0]=1e300
x=T([1.,2],dtype=L.float16); x[0]=1e6
x=T([True,False]); x[0]=2
x=T([True,False]); x[0]=nan
x=T([True,False]); x[0]=1j
x=T([1,2]).fill_(nan)
x=T([1,2]).fill_(1j)
x=T([1,2]).fill_(1.7)
x=T([1.,2]).fill_(1j)
x=T([1,2],dtype=L.uint8).fill_(300)
x=T([1,2],dtype=L.uint8).fill_(-1)
x=T([1.,2]).fill_(1e300)
x=T([True,False]).fill_(2.5)
x=T([True,False]).fill_(nan)
x=T([1,2]).fill_(T(nan))
x=T([1,2]).fill_(T([1,2]))
x=T([1,2]).fill_(T(1.5))
x=T([nan],dtype=L.int64)
x=T([1.5],dtype=L.int64)
x=T([300],dtype=L.uint8)
x=T([-1],dtype=L.uint8)
x=T([1j],dtype=L.float32)
x=T([1j],dtype=L.int64)
x=T([1+0j],dtype=L.float32)
x=T([1j],dtype=L.bool)
x=T(nan,dtype=L.bool)
x=T(np.array([nan]),dtype=L.int64)
x=T(2**70)
x=T(2**63)
x=T([2**64])
x=T(-2**63)
x=T([1e300],dtype=L.float32)
x=L.full((2,),nan,dtype=L.int64)
x=L.full((2,),1j,dtype=L.int64)
x=L.full((2,),1j,dtype=L.float32)
x=L.full((2,),300,dtype=L.uint8)
x=L.full((2,),-1,dtype=L.uint8)
x=L.full((2,),1.5,dtype=L.int64)
x=L.full((2,),1e300,dtype=L.float32)
x=L.full_like(T([1,2]),nan)
x=L.full_like(T([1,2]),1j)
x=L.full_like(T([1.,2]),1j)
x=T([1,2]).new_full((2,),1j)
x=T([1,2]).new_full((2,),nan)
x=T([1,2]).new_full((2,),1.5)
x=T([1,2]).masked_fill(T([True,False]),nan)
x=T([1,2]).masked_fill(T([True,False]),1j)
x=T([1,2]).masked_fill(T([True,False]),1.7)
x=T([1.,2]).masked_fill(T([True,False]),1j)
x=T([1,2],dtype=L.uint8).masked_fill(T([True,False]),300)
x=T([1,2],dtype=L.uint8).masked_fill(T([True,False]),-1)
x=T([True,False]).masked_fill(T([True,False]),2)
x=T([1,2]).masked_fill(T([True,False]),T(1.5))
x=T([1,2]).masked_fill_(T([True,False]),nan)
x=T([1,2]).masked_fill_(T([True,False]),1.7)
x=T([1,2]).clamp(nan)
x=T([1,2]).clamp(1.5)
x=T([1.,2]).clamp(1j)
x=T([1.,2]).clamp(nan)
x=T([1,2]).clamp_(1.5)
x=T([1j,2]).clamp(1.)
x=T([True]).clamp(1)
x=T([1,2]).index_fill(0,T([0]),nan)
x=T([1,2]).index_fill(0,T([0]),1j)
x=T([1,2]); x[[0]]=nan
x=T([1,2]); x[[0]]=1.7
x=T([1,2]); x[[0]]=T([1.7])
x=T([1,2]); x[0]=T([1.7])
x=T([1,2]); x[[0]]=T(1.7)
x=T([1,2]); x[T([True,False])]=T(1.7)
x=T([1,2]); x[T([True,False])]=T([1.7])
x=T([1.,2]); x[[0]]=T([1],dtype=L.int64)
x=T([1.,2]); x[[0]]=T(1.,dtype=L.float64)
x=T([1,2]); x[T([True,False])]=nan
x=T([1,2],dtype=L.uint8); x[[0]]=300
x=L.set_default_dtype('float64')
x=L.set_default_dtype(None)
x=L.set_default_dtype(float)
x=L.set_default_dtype(L.int64)
x=L.set_default_dtype(L.complex64)
x=T([1.]); x.requires_grad=1
x=T([1.]); x.requires_grad=None
x=T([1.],requires_grad=True); x.data=T([1])
x=T([1.],requires_grad=True); x.data=T([1.],dtype=L.float64)
x=T([1.],requires_grad=True); x.data=3
x=T([1.],requires_grad=True); x.data=T([1j])
x=T([1.]); x.data=T([1])
x=T([1.]); x.requires_grad_(1)
x=L.result_type(T([1]),'a')
x=L.result_type(T([1]),2.5)
x=L.result_type(1,2)
x=L.result_type(T([1]),None)
x=L.result_type(T([1]),True)
x=T([T(1),T(2.5)])
x=T([T(1),2.5])
x=T([T(1),T(2.5,dtype=L.float64)])
x=T([T(1,dtype=L.float16),2.5])
x=T([T(1,dtype=L.float16),1])
x=T([T(1,dtype=L.int8),1])
x=T([T(1,dtype=L.int8),T(1,dtype=L.uint8)])
x=T([T(1,dtype=L.float64),1])
x=T([[1,2],[T(1.),3]])
x=T([np.float32(1),2])
x=T([np.float64(1),2])
x=T([np.float16(1),2])
x=T([np.int32(1),2])
x=T([np.int32(1),2.])
x=T([np.array([1.,2.],dtype=np.float32),[1,2]])
x=T([np.float32(1),1j])
x=T([np.float64(1),1j])
x=T([True,2.])
x=T([1.,2.]).view(L.int32)
x=T([1.,2.]).view(L.int64)
x=T([1.,2.]).view(L.int16)
x=T([1.,2.,3.]).view(L.int64)
x=T([[1.,2.],[3.,4.]]).view(L.float64)
x=T([[1.,2.],[3.,4.]]).t().view(L.float64)
x=T([[1.,2.],[3.,4.]]).t().view(L.int32)
x=T([[1.,2.],[3.,4.]]).t().view(L.uint8)
x=T(1.).view(L.int32)
x=T(1.).view(L.int64)
x=T(1.).view(L.uint8)
x=T([1.,2.]).view(L.float32)
x=T([1+2j]).view(L.float32)
x=T([1.,2.]).view(L.complex64)
x=T([1,0],dtype=L.uint8).view(L.bool)
x=L.arange(6.)[1:5].view(L.float64)
x=L.arange(6.)[2:6].view(L.float64)
x=L.arange(6.)[::2].view(L.float64)
x=T([1.,2.],requires_grad=True).view(L.int32)
x=T([1.,2.],requires_grad=True).view(L.float64)
x=T([1.,2.]).view(dtype=L.int32)
x=T([1.,2.]); y=x.view(L.int32); y[0]=0
x=T([1.,2.]); y=x.view(L.int32); y[0]=0; x=(x, x._version, y._version, y._is_view())
x=T([1.,2.],requires_grad=True).detach_()
x=(T([1.,2.],requires_grad=True)*2).detach_()
x=(T([1.,2.],requires_grad=True)*2)[0:1].detach_()
x=(T([1.,2.]))[0:1].detach_()
x=L.detach_(T([1.,2.],requires_grad=True)*2)
x=L.zeros(3,3).fill_diagonal_(1)
x=L.zeros(7,3).fill_diagonal_(1)
x=L.zeros(7,3).fill_diagonal_(1,wrap=True)
x=L.zeros(3,7).fill_diagonal_(1,wrap=True)
x=L.zeros(3,3,3).fill_diagonal_(2.5)
x=L.zeros(3,3,2).fill_diagonal_(2.5)
x=L.zeros(3).fill_diagonal_(2.5)
x=L.zeros(3,3,dtype=L.int64).fill_diagonal_(2.5)
x=L.arange(6.).as_strided_((2,2),(1,2))
x=L.as_strided_(L.arange(6.),(2,2),(1,2),1)
x=L.arange(6.).resize_as_(L.zeros(2,2))
x=L.resize_as_(L.arange(6.),L.zeros(2,2))
x=L.zeros(2).is_inference()
x=L.is_inference(L.zeros(2))
x=L.add(T([1]),T([2]),alpha=2.5)
x=L.add(T([1]),2,alpha=2.5)
x=L.add(T([1]),2.,alpha=2.5)
x=L.sub(T([1]),T([2]),alpha=2.5)
x=T([1]).add_(T([2]),alpha=2.5)
x=L.add(T([1.]),T([2.]),alpha=2j)
x=L.add(T([1]),T([2]),alpha=True)
x=L.lerp(T([1]),T([2]),0.5)
x=L.lerp(T([1.]),T([2.],dtype=L.float64),0.5)
x=L.lerp(T([1.]),T([2.]),T([0.5],dtype=L.float64))
x=L.lerp(T([1.]),T([2.]),T(0.5,dtype=L.float64))
x=L.lerp(T([1.]),T([2.]),1)
x=L.addcdiv(T([1]),T([2]),T([2]))
x=L.addcdiv(T([1.]),T([2]),T([2]))
x=L.addcdiv(T([1.]),T([2.]),T([2]))
x=L.addcmul(T([1]),T([2]),T([2]),value=2.5)
x=T([True])**-2
x=T([1])**-2
x=T([True])**2
x=L.maximum(T([1]),2)
x=L.minimum(T([1]),2)
x=L.isclose(T([1.]),T([1.],dtype=L.float64))
x=L.allclose(T([1.]),T([1.],dtype=L.float64))
x=L.isclose(T([1]),T([1.]))
x=T([True]).abs()
x=T([True]).floor()
x=T([True]).ceil()
x=T([True]).trunc()
x=T([True]).round()
x=T([True]).sign()
x=T([True]).frac()
x=T([1]).frac()
x=T([True]).square()
x=T([True,False]).argmax()
x=T([True,False]).argmin()
x=T([True,False]).topk(1)
x=T([True,False]).sort()
x=T([True,False]).kthvalue(1)
x=T([True,False]).median()
x=T([True,False]).cummax(0)
x=T([1j,2]).sort()
x=T([1j,2]).argsort()
x=T([1j,2]).topk(1)
x=T([1j,2]).argmax()
x=T([1j,2]).max()
x=T([1j,2]).max(0)
x=T([1j,2]).amax()
x=T([1j,2]).cummax(0)
x=T([1j,2]).kthvalue(1)
x=T([1j,2]).median()
x=T([1j,2]).mode()
x=T([1j,2]).floor()
x=T([1j,2]).sign()
x=L.maximum(T([1j]),T([1j]))
x=T([True]).add(T([True]),alpha=2)
x=T([True]).add(T([True]),alpha=True)
x=T([True]).add(True,alpha=2)
x=T([True]).neg()
x=T([True])-T([True])
x=L.arange(6.).reshape(2,3).max(0)
x=L.arange(6.).reshape(2,3).min(0)
x=L.arange(6.).sort()
x=L.arange(6.).topk(2)
x=L.arange(6.).kthvalue(2)
x=L.arange(6.).median(0)
x=L.arange(6.).cummax(0)
x=L.arange(6.).cummin(0)
x=L.arange(6.).mode()
x=L.arange(6.).aminmax()
x=T(3.).movedim(0,-1)
x=T(3.).movedim(0,0)
x=T(3.).movedim(1,0)
x=T(3.).unflatten(0,(1,-1))
x=L.linspace(0,1j,3)
x=L.linspace(0,1,-1)
x=L.linspace(0,1)
x=L.linspace(0,1,0)
x=L.arange(1j)
x=L.arange(nan)
x=L.arange(inf)
x=L.arange(0,1,0)
x=L.arange(0,-1)
x=L.eye(-1)
x=L.eye(2,-1)
x=L.autograd.Variable([1.])
x=L.full(2,3)
x=L.zeros()
x=L.ones()
x=L.zeros(-1)
x=T([nan,inf]).to(L.int64)
x=T([nan,1e10]).to(L.int32)
x=T([nan,300.]).to(L.uint8)
x=T([1e6]).half()
x=T([1e300],dtype=L.float64).float()
x=T([60000.],dtype=L.float16)*2
x=T([1.])//0
x=T([0.])//0
x=T([1.])/0
x=T([0.])/0
x=T([1.])%0
x=T([-1.]).sqrt()
x=T([0.]).log()
x=T([1000.]).exp()
x=T([1])/0
x=T([1])//0
x=T([1])%0
x=T([1+2j]).to(L.float32)
x=T([1+2j]).float()
x=T([inf])-inf
x=T([inf])*0
x=T([inf]).sin()
x=T([3e38])*10
x=T([3e38,3e38]).sum()
x=T([nan]).int()
x=T([0.])**-1
x=T([]).mean()
x=T([1.,2.]); y=[x,x[0:1]]; z=copy.deepcopy(y); z[0].add_(1); x=z[1]
x=T([1.,0.]).norm(-1)
x=T([1.,0.],requires_grad=True); x.norm(-1).backward(); x=x.grad
x=T([1.5,-.5,0.5],requires_grad=True); x.logit().sum().backward(); x=x.grad
x=T([1.5,-.5,0.,1.],requires_grad=True); x.logit().sum().backward(); x=x.grad
x=T([1.5,-.5,0.,1.,.5,.05],requires_grad=True); x.logit(.1).sum().backward(); x=x.grad
""".strip().splitlines()


def outcome(library, program):
    """How a program's result prints, or the class of its error (as caught, PyTorch raises subclasses as well)."""
    space = {"L": library, "T": library.tensor, "np": np, "copy": copy, "nan": float("nan"), "inf": float("inf")}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            exec(program, space)
        except (TypeError, ValueError, IndexError, RuntimeError) as error:
            return next(c for c in (TypeError, ValueError, IndexError, RuntimeError) if isinstance(error, c))
        finally:
            library.set_default_dtype(library.float32)
    return repr(space["x"]).replace("torch.", "").replace("tapegrad.", "")


@pytest.mark.parametrize("program", PROGRAMS)
def test_program(program):
    assert outcome(tapegrad, program) == outcome(torch, program)
