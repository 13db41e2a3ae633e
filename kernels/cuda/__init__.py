"""The kernels for NVIDIA GPUs: Numba CUDA bodies on arrays that CuPy holds; Numba's simulator runs them without a GPU.

`api` imports Numba's CUDA, `memory` holds arrays on the device, `launch` starts kernels and reads their fault words;
`checkup` checks a device; every other module holds the bodies of one kernel and the function that a caller sees, with
the plain loops' arguments.
"""
