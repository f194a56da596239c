{
  description = "sevm, a syscall-emulation virtual machine";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      each = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
    in
    {
      packages = each (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "sevm";
          version = "0.1.0";
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          nativeBuildInputs = [
            pkgs.cmake
            pkgs.rustPlatform.bindgenHook
          ];
          # cmake is for Unicorn's build script, not for this package.
          dontUseCmakeConfigure = true;
          env.UNICORN_NO_PKG_CONFIG = "1";
          # The tests need cross compilers, qemu and the network for Debian's packages.
          doCheck = false;
          meta = {
            description = "Runs and traces Linux programs for aarch64 and x86_64 without a guest kernel";
            license = [
              nixpkgs.lib.licenses.mit
              nixpkgs.lib.licenses.asl20
              nixpkgs.lib.licenses.gpl2Only
            ];
            mainProgram = "sevm";
          };
        };
      });

      devShells = each (pkgs: {
        default = pkgs.mkShell {
          inputsFrom = [ self.packages.${pkgs.system}.default ];
          packages = [
            pkgs.cargo
            pkgs.rustc
            pkgs.clippy
            pkgs.rustfmt
            pkgs.pkgsCross.aarch64-multiplatform.buildPackages.gcc
            pkgs.pkgsStatic.musl
            pkgs.qemu
            pkgs.strace
            pkgs.pkgsStatic.busybox
          ];
          UNICORN_NO_PKG_CONFIG = "1";
        };
      });
    };
}
