# A dom0's configuration, for nixos-module.nix.
{
  virtualisation.xen.enable = true;
  programs.domstrap = {
    enable = true;
    settings = {
      caches = [ "https://cache.example.org" "file:///srv/cache" ];
      jobs = 8;
      cache-dir = "/var/cache/domstrap";
    };
    domgrub.settings = { quiet = true; max-ramdisk = "1G"; };
  };
}
