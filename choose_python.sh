#!/bin/sh
# Chooses the Python that make builds the environment with: choose_python.sh ENVIRONMENT [INTERPRETER]
# Prints its path, or nothing where ENVIRONMENT already has one that suits. A refusal is one line on standard error, exit
# code 1; nothing is written or downloaded either way.
set -u
environment=$1
named=${2:-}

# The versions that requirements.lock has wheels for; they stand in pyproject.toml alone.
versions=$(sed -n 's/^ *"Programming Language :: Python :: \(3\.[0-9]*\)",.*/\1/p' "$(dirname "$0")/pyproject.toml")
# shellcheck disable=SC2086 # their lines become one
listed=$(echo $versions | sed 's/ /, /g; s/\(.*\),/\1 and/')
last=${listed##* }
lacking="the packages of requirements.lock exist for ordinary builds of CPython $listed"
platforms="the packages of requirements.lock exist for Linux with glibc 2.28 or newer (x86_64, aarch64) and macOS 14 or newer (arm64)"
install="install Python $last (Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python@$last)"
name_one="name one by make PYTHON=/path/to/python$last"

# Runs under Python 2.7 too. Its one line begins with what is wrong, and is empty where the interpreter suits.
check='
import os, platform, sys, sysconfig

def libc():
    try:
        words = os.confstr("CS_GNU_LIBC_VERSION").split()
    except (AttributeError, OSError, ValueError):
        return None
    return tuple(int(part) for part in words[1].split(".")[:2])

def fault(wanted, versions):
    version = "%d.%d" % sys.version_info[:2]
    system, machine = platform.system(), platform.machine()
    if platform.python_implementation() != "CPython":
        return "version is " + platform.python_implementation()
    if version not in versions:
        return "version is Python " + version
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return "version is a free-threaded build of Python " + version
    if sys.maxsize < 2**32:
        return "platform is a 32-bit Python"
    if system == "Linux" and libc() is None:
        return "platform runs on a Linux without glibc"
    if system == "Linux" and libc() < (2, 28):
        return "platform runs on glibc %d.%d" % libc()
    if system == "Darwin" and int(platform.mac_ver()[0].split(".")[0]) < 14:
        return "platform runs on macOS " + platform.mac_ver()[0]
    system = system.replace("Darwin", "macOS")
    if (system, machine) not in (("Linux", "x86_64"), ("Linux", "aarch64"), ("macOS", "arm64")):
        return "platform runs on %s %s" % (system, machine)
    try:
        for module in wanted.split(","):
            __import__(module)
    except ImportError:
        return "module lacks the module %s (Debian, Ubuntu: apt install python%s-venv)" % (module, version)
    return ""

sys.stdout.write(fault(sys.argv[1], sys.argv[2:]))
'

# Prints what is wrong with the interpreter $1, which must have the modules $2, or nothing where it suits.
fault_of() {
  # shellcheck disable=SC2086 # one argument a version
  "$1" -c "$check" "$2" $versions 2>/dev/null || echo "broken does not run"
}

# The refusal of the interpreter $1 for the fault $2, with what to do, $3.
refuse() {
  case $2 in
    version*) because="; $lacking" ;;
    platform*) because="; $platforms" ;;
    *) because="" ;;
  esac
  echo "$1 ${2#* }$because: $3" >&2
  exit 1
}

other="choose another environment by make VENV=.venv-$last, or remove $environment and run make again"
if [ -e "$environment" ] && ! [ -f "$environment/pyvenv.cfg" ]; then
  echo "$environment exists and is no Python environment: move it away, or choose another by make VENV=.venv-$last" >&2
  exit 1
fi
if [ -e "$environment" ]; then
  fault=$(fault_of "$environment/bin/python" pip)
  case $fault in
    "") exit 0 ;;
    broken*) ;; # as after an upgrade of the system: it is made anew
    module*) refuse "$environment" "module has no pip" "add it by $environment/bin/python -m ensurepip, or $other" ;;
    *) refuse "$environment/bin/python" "$fault" "$other" ;;
  esac
fi

if [ -n "$named" ]; then
  fault=$(fault_of "$named" venv,ensurepip)
  [ -z "$fault" ] || refuse "$named" "$fault" "$name_one"
  echo "$named"
  exit 0
fi

found=""
for name in $(echo "$versions" | sed 's/^/python/') python3 python; do
  saved_ifs=$IFS
  IFS=:
  for folder in $PATH; do
    IFS=$saved_ifs
    if ! [ -f "$folder/$name" ] || ! [ -x "$folder/$name" ]; then continue; fi
    fault=$(fault_of "$folder/$name" venv,ensurepip)
    if [ -z "$fault" ]; then
      echo "$folder/$name"
      exit 0
    fi
    case $fault in
      broken*) ;; # pyenv puts a command for every version on PATH, of which some do not run
      *) if [ -z "$found" ]; then found=$folder/$name found_fault=$fault; fi ;;
    esac
  done
  IFS=$saved_ifs
done
[ -z "$found" ] || refuse "$found" "$found_fault" "$install, or $name_one"
echo "no Python on PATH; $lacking: $install, or $name_one" >&2
exit 1
