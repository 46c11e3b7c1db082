"""Recording switched off and on."""

from .table import Table, leaf

scenario = Table()

# Grad modes


@scenario((False, False, True))
def nothing_is_recorded_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    with lib.no_grad():
        y = x * 2
        inside = lib.is_grad_enabled()
    return y.requires_grad, inside, lib.is_grad_enabled()


@scenario([True, False, True, False, True, False, True])
def modes_nest(lib):
    seen = [lib.is_grad_enabled()]
    with lib.no_grad():
        seen.append(lib.is_grad_enabled())
        with lib.enable_grad():
            seen.append(lib.is_grad_enabled())
            with lib.no_grad():
                seen.append(lib.is_grad_enabled())
            seen.append(lib.is_grad_enabled())
        seen.append(lib.is_grad_enabled())
    return [*seen, lib.is_grad_enabled()]


@scenario(True)
def an_error_restores_the_mode(lib):
    try:
        with lib.no_grad():
            raise KeyError
    except KeyError:
        return lib.is_grad_enabled()


@scenario((False, [3.0, 6.0], "double", True))
def decorated_with_brackets(lib):
    @lib.no_grad()
    def double(x, times=2):
        return x * times

    x = leaf(lib, 1, 2)
    return double(x).requires_grad, double(x, times=3), double.__name__, lib.is_grad_enabled()


@scenario((False, True, "off"))
def decorated_without_brackets(lib):
    @lib.no_grad
    def off(x):
        return (x * 2).requires_grad

    @lib.enable_grad
    def on(x):
        return (x * 2).requires_grad

    x = leaf(lib, 1, 2)
    with lib.no_grad():
        return off(x), on(x), off.__name__


@scenario(([False, False, False], True))
def decorated_recursion(lib):
    @lib.no_grad()
    def count(n):
        return [lib.is_grad_enabled()] + (count(n - 1) if n else [])

    return count(2), lib.is_grad_enabled()


@scenario([False, True, ("sent", False), True, False, True])
def decorated_generator(lib):
    @lib.no_grad()
    def steps():
        received = yield lib.is_grad_enabled()
        received = yield received, lib.is_grad_enabled()
        return lib.is_grad_enabled()

    run, seen = steps(), []
    seen.append(next(run))
    seen.append(lib.is_grad_enabled())
    seen.append(run.send("sent"))
    seen.append(lib.is_grad_enabled())
    try:
        next(run)
    except StopIteration as stop:
        seen.append(stop.value)
    return [*seen, lib.is_grad_enabled()]


@scenario([False, (1, 2, True), False, True])
def decorated_generator_that_is_thrown_at_and_closed(lib):
    seen = []

    @lib.no_grad()
    def steps():
        try:
            yield 1
        except KeyError:
            seen.append(lib.is_grad_enabled())
        try:
            yield 2
        finally:
            seen.append(lib.is_grad_enabled())

    run = steps()
    seen.append((next(run), run.throw(KeyError()), lib.is_grad_enabled()))
    run.close()
    return [*seen, lib.is_grad_enabled()]


@scenario((False, True))
def set_grad_enabled_as_a_call(lib):
    lib.set_grad_enabled(False)
    inside = lib.is_grad_enabled()
    lib.set_grad_enabled(True)
    return inside, lib.is_grad_enabled()


@scenario((False, True, True))
def set_grad_enabled_as_a_context(lib):
    with lib.set_grad_enabled(False):
        inside = lib.is_grad_enabled()
        with lib.set_grad_enabled(True):
            deeper = lib.is_grad_enabled()
    return inside, deeper, lib.is_grad_enabled()


@scenario((True, False, True))
def set_grad_enabled_as_a_context_gives_back_what_was(lib):
    with lib.no_grad():
        with lib.set_grad_enabled(True):
            inside = lib.is_grad_enabled()
        between = lib.is_grad_enabled()
    return inside, between, lib.is_grad_enabled()


@scenario((False, True))
def set_grad_enabled_as_a_decorator(lib):
    @lib.set_grad_enabled(False)
    def inside():
        return lib.is_grad_enabled()

    return inside(), lib.is_grad_enabled()


@scenario((True, True))
def set_grad_enabled_inside_no_grad_ends_with_it(lib):
    with lib.no_grad():
        lib.set_grad_enabled(True)
        inside = lib.is_grad_enabled()
    return inside, lib.is_grad_enabled()


@scenario((False, False, True, True))
def inference_mode_in_all_forms(lib):
    x = leaf(lib, 1, 2)

    @lib.inference_mode()
    def double(v):
        return (v * 2).requires_grad

    with lib.inference_mode():
        inside = (x * 2).requires_grad
    with lib.inference_mode(False):
        recorded = (x * 2).requires_grad
    return double(x), inside, recorded, lib.is_grad_enabled()


@scenario([2.0, 4.0])
def a_backward_under_no_grad(lib):
    x = leaf(lib, 1, 2)
    y = (x * x).sum()
    with lib.no_grad():
        y.backward()
    return x.grad


@scenario(([0.512, 1.024], True, True))
def a_step_of_descent_under_no_grad(lib):
    w = leaf(lib, 1, 2)
    for _ in range(3):
        (w * w).sum().backward()
        with lib.no_grad():
            w -= 0.1 * w.grad
            w.grad.zero_()
    return w, w.is_leaf, w.requires_grad


@scenario([("main", True), ("off", False), ("on", True)])
def every_thread_has_its_own_mode(lib):
    import threading

    x, seen = leaf(lib, 1, 2), {}
    inside, done = threading.Event(), threading.Event()

    def off():
        with lib.no_grad():
            inside.set()
            done.wait(10)
            seen["off"] = (x * 2).requires_grad

    def on():
        inside.wait(10)
        seen["on"] = (x * 2).requires_grad
        done.set()

    threads = [threading.Thread(target=f) for f in (off, on)]
    for t in threads:
        t.start()
    inside.wait(10)
    seen["main"] = (x * 2).requires_grad
    for t in threads:
        t.join()
    return sorted(seen.items())


@scenario([True])
def a_new_thread_starts_with_recording_on(lib):
    import threading

    seen = []
    with lib.no_grad():
        thread = threading.Thread(target=lambda: seen.append(lib.is_grad_enabled()))
        thread.start()
        thread.join()
    return seen
