"""Who works for somebody ends with them."""

import subprocess
import sys
from pathlib import Path

import psutil

from verify.child_process import NICE

PARENT = (
    "import subprocess, time; from verify.child_process import behind_and_with_us as ours; "
    "print(subprocess.Popen(['sleep', '60'], preexec_fn=ours).pid, flush=True); time.sleep(60)"
)


def test_it_goes_when_whoever_waits_for_it_is_killed() -> None:
    here = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, cwd=here)
    assert parent.stdout
    child = psutil.Process(int(parent.stdout.readline()))
    assert child.nice() == min(19, psutil.Process().nice() + NICE)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    gone, _ = psutil.wait_procs([child], timeout=10)
    assert gone or child.status() == psutil.STATUS_ZOMBIE
