"""CUDA C++ that several families of block kernels share."""

__all__ = ["LARGEST", "ROW", "SUM", "THREADS", "countable", "threads_for"]

# A reduction over the threads of a block; every thread gets the result. blockDim.x must be a multiple of 32.
# The first barrier is there because the result of the call before may still be being read.
REDUCE = """
__device__ A block_NAME(A v) {
  __shared__ A part[32];
  for (int o = 16; o; o >>= 1) { const A w = __shfl_xor_sync(0xffffffffu, v, o); v = COMBINE; }
  __syncthreads();
  if (threadIdx.x % 32 == 0) part[threadIdx.x / 32] = v;
  __syncthreads();
  v = part[0];
  for (unsigned i = 1; i < blockDim.x / 32; ++i) { const A w = part[i]; v = COMBINE; }
  return v;
}
"""
SUM = REDUCE.replace("NAME", "sum").replace("COMBINE", "v + w")
LARGEST = REDUCE.replace("NAME", "largest").replace("COMBINE", "w > v ? w : v")

# Of a row of logits the largest, and the sum of the exponentials of how far each lies below it.
ROW = (
    SUM
    + LARGEST
    + """
__device__ A row_total(const T* x, int cols, A& top) {
  top = x[0];
  for (int j = threadIdx.x; j < cols; j += blockDim.x) { const A v = x[j]; top = v > top ? v : top; }
  top = block_largest(top);
  A total = 0;
  for (int j = threadIdx.x; j < cols; j += blockDim.x) total += exp(A(x[j]) - top);
  return block_sum(total);
}
"""
)

THREADS = 256


def threads_for(count: int) -> int:
    """The size of the block for a row of ``count`` elements: a power of 2 between 32 and 256."""
    return min(max(32, 1 << (count - 1).bit_length()), THREADS)


def countable(rows: int, cols: int) -> bool:
    """Whether a launch can have a block for each row, and a thread count the columns in 32 bits."""
    return rows < 2**31 and cols < 2**31 - THREADS
