#!/bin/sh
# install.sh FOLDER [llama-server]: llama.cpp's llama-server and the LiteLLM proxy, or the first alone, into FOLDER and
# nowhere else. What is there already is kept.
# Needs cmake and g++. The build takes 5 to 12 minutes on two cores; remove FOLDER to have it anew.
set -eu
mkdir -p "$1"
cd "$1"

# llama.cpp comes as the source that the Python binding's archive holds, so that a package index is all that is asked.
# Its web page is left out: the page would be downloaded from elsewhere.
LLAMA=0.3.36
if [ ! -x llama-server ]; then
    for tool in cmake g++; do
        command -v $tool >/dev/null || { echo "llama-server is built from source: install $tool"; exit 1; }
    done
    [ -x tools/bin/pip ] || "${PYTHON:-python3}" -m venv tools
    ls llama_cpp_python-*.tar.gz >/dev/null 2>&1 ||
        tools/bin/pip download -qq --no-deps --no-binary llama-cpp-python "llama-cpp-python==$LLAMA"
    rm -rf source && mkdir source
    tar -xzf "llama_cpp_python-$LLAMA.tar.gz" -C source --strip-components=3 "llama_cpp_python-$LLAMA/vendor/llama.cpp"
    echo "building llama-server: 5 to 12 minutes on two cores"
    cmake -S source -B build -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF -DLLAMA_CURL=OFF -DLLAMA_OPENSSL=OFF \
        -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF \
        -DLLAMA_USE_PREBUILT_UI=OFF >cmake.log 2>&1 || { tail -n 20 cmake.log; exit 1; }
    cmake --build build --target llama-server --parallel "$(nproc)" >build.log 2>&1 || { tail -n 20 build.log; exit 1; }
    mv build/bin/llama-server llama-server
    rm -rf build source llama_cpp_python-*.tar.gz
fi

[ "${2:-}" = llama-server ] && exit 0

# The proxy has a long list of requirements of its own, so it gets an environment of its own.
LITELLM=1.106.2
if [ ! -x litellm/bin/litellm ]; then
    echo "installing LiteLLM"
    "${PYTHON:-python3}" -m venv litellm
    litellm/bin/pip install -qq "litellm[proxy]==$LITELLM"
fi
