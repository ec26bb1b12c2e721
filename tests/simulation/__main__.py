import sys, time, structlog, logging
structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL), cache_logger_on_first_use=True)
from tests.simulation.history import play_seed
n=int(sys.argv[1]); first=int(sys.argv[2]) if len(sys.argv)>2 else 0
t=time.perf_counter(); turns=0; bad=0
for s in range(first, first+n):
    e=play_seed(s); turns+=e.turns
    if e.finding:
        bad+=1
        if bad<8: print(s, e.history.plan.character, e.finding[:300])
d=time.perf_counter()-t
print(n, "in", round(d,2), "s;", round(n/d*60), "a minute; turns", turns/n, "bad", bad)
