# Nix: passthru.tests of a package of the stack. It runs in the sandbox: no device, no network.
{ runCommand, hip-smoke, clr, rocminfo, hipcc }:
runCommand "hip-smoke" { nativeBuildInputs = [ hip-smoke clr rocminfo hipcc ]; } ''
  export ROCM_PATH=${clr}
  hip-smoke --virtual --quick --format junit --output hip-smoke.xml || [ $? -eq 77 ]
  install -D hip-smoke.xml $out/hip-smoke.xml
''
