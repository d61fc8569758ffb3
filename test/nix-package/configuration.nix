# A dom0's configuration, as nixos-module.nix is given it.
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
